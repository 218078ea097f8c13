// Streams of calls as rows of rollups, and a function that feeds them to the drift handler.
import pino from 'pino'
import type { Drift } from '../../../../../consumer/alerts/drift/drift.ts'
import type { Context } from '../../../../../consumer/handler.ts'
import { loadConfig } from '../../../../../runtime/load-config.ts'
import type { Alert, Rollup } from '../../../../../wire/types.ts'
import { samples } from '../../../../support/records.ts'
import type { Stream, StreamWindow } from './streams.ts'

export const windowUs = 10_000_000
/** Aligned to hours. */
export const startUs = 1_769_860_800_000_000

const log = pino({ level: 'silent' })

export const thresholds = loadConfig({}, undefined, {}).alerts.drift

/** Shorter spans for fewer rows: a current span of 30 s, a baseline of 5 minutes. */
export const quickThresholds = { ...thresholds, currentSeconds: 30, baselineSeconds: 300, minCalls: 50 }

export const contextAt = (offset: number): Context => ({
  topic: 'ringside.rollups',
  partition: 0,
  offset: BigInt(offset),
  timestampMs: offset * 1000,
  log
})

/** The row of a workload for one window of a stream. */
export const rowOf = (window: number, { count, latency }: StreamWindow, more: Partial<Rollup> = {}): Rollup => ({
  ...samples.Rollup,
  by: 'workload',
  pid: 0,
  start_us: 0,
  window_start: startUs + window * windowUs,
  window_ms: windowUs / 1000,
  count,
  latency,
  ...more
})

/** The rows of many streams, one workload each, and a row of another window length that advances the host's time. */
export function* rowsOf(streams: readonly Stream[], from: number, until: number): Generator<Rollup> {
  for (let window = from; window < until; window++) {
    for (const [i, stream] of streams.entries()) {
      const calls = stream(window)
      if (calls.count > 0) yield rowOf(window, calls, { workload: `/usr/bin/w${i}` })
    }
    yield rowOf(window + 1, { count: 1, latency: [] }, { window_ms: 1000, by: 'process', workload: 'clock' })
  }
}

/** @param firstOffset of the first row */
export const feed = (drift: Drift, rows: Iterable<Rollup>, firstOffset = 0): Alert[] => {
  const alerts: Alert[] = []
  let offset = firstOffset
  for (const row of rows) {
    for (const { value } of drift.handle(row, contextAt(offset++))) alerts.push(value as Alert)
  }
  return alerts
}

/** Times at which alerts of a rule were raised, in seconds since the first window. */
export const raisedSeconds = (alerts: readonly Alert[], rule: string): number[] =>
  alerts
    .filter((alert) => alert.rule === rule && alert.revision === 1)
    .map((alert) => (alert.last_seen - startUs) / 1e6)
