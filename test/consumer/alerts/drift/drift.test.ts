// The drift handler: text, revisions and resolution of alerts, and restarts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Drift } from '../../../../consumer/alerts/drift/drift.ts'
import { maxMetadataBytes } from '../../../../consumer/handler.ts'
import type { Alert, Rollup } from '../../../../wire/types.ts'
import { contextAt, feed, quickThresholds as options, rowOf, rowsOf, startUs, windowUs } from './support/run.ts'
import { streamOf } from './support/streams.ts'

const base = { rate: () => 100, jitter: 0.05 }
const slowAt = (from: number, until: number) => (window: number) =>
  window >= from && window < until ? 150_000 : 50_000
const shape = (seed: number, from = 60, until = 80) => streamOf({ ...base, median: slowAt(from, until) }, seed)

const latencies = (alerts: readonly Alert[]): Alert[] => alerts.filter(({ rule }) => rule === 'latency_drift')

test('a drift is one alert, updated while it lasts, and resolved when the latency is as before', () => {
  const alerts = latencies(feed(new Drift(options), rowsOf([shape(1)], 0, 120)))
  const first = alerts[0] as Alert
  const last = alerts.at(-1) as Alert
  assert.deepEqual(
    alerts.map(({ revision }) => revision),
    alerts.map((_, i) => i + 1)
  )
  assert.ok(alerts.length >= 4 && alerts.length <= 7, String(alerts.length))
  assert.equal(new Set(alerts.map(({ id }) => id)).size, 1)
  assert.equal(first.severity, 'notice')
  assert.deepEqual([first.workload, first.entity, first.count], ['/usr/bin/w0', '/usr/bin/w0 read', 1])
  assert.ok(first.first_seen >= startUs + 57 * windowUs && first.last_seen <= startUs + 64 * windowUs)
  assert.ok(last.last_seen >= startUs + 79 * windowUs && last.last_seen <= startUs + 84 * windowUs)
  const among = alerts[2] as Alert
  assert.equal(among.severity, 'warning')
  assert.match(
    among.explanation,
    /^Latency of read by \/usr\/bin\/w0 on web-1 changed: p\d+ from [\d.]+us to [\d.]+us \(× [234]\.\d+\) for [\d.]+ min, compared with a baseline of 5 min \(D = [01]\.\d+, n = [\d,]+ against [\d,]+, p < 1e-12; by chance alone: < 1e-12 such alerts a day\)\.$/
  )
  assert.deepEqual(
    among.reasons.map(({ condition }) => condition),
    [
      'quantile that changed most',
      'distance D (Kolmogorov–Smirnov) from the most similar part of the baseline',
      'distance D from the whole baseline',
      'calls compared',
      'alerts a day by chance alone, in 17,280 tests'
    ]
  )
  assert.match(
    last.explanation,
    /^Resolved after 3\.\d min: Latency of read by \/usr\/bin\/w0 on web-1 is as in its baseline again, /
  )
})

test('a drift that lasts longer than the baseline is resolved: the baseline adapts', () => {
  const alerts = latencies(feed(new Drift(options), rowsOf([shape(2, 60, 1000)], 0, 150)))
  assert.equal(new Set(alerts.map(({ id }) => id)).size, 1)
  assert.ok((alerts.at(-1)?.last_seen ?? 0) < startUs + 110 * windowUs)
})

test('only final results of workloads are compared: other rows advance the time', () => {
  const drift = new Drift(options)
  function* odd(): Generator<Rollup> {
    const [normal, slow] = [shape(3, 1000), shape(4, 0, 1000)]
    for (let window = 0; window < 100; window++) {
      yield rowOf(window, normal(window))
      const calls = slow(window)
      const wrong = window < 60 ? normal(window) : calls
      yield rowOf(window, wrong, { by: 'process' })
      yield rowOf(window, wrong, { workload: 'other', other: true })
      yield rowOf(window, wrong, { complete: false, revision: 0 })
      yield rowOf(window, wrong, { window_ms: 60_000 })
    }
  }
  assert.deepEqual(feed(drift, odd()), [])
})

test('the last revision of a window counts', () => {
  function* corrected(): Generator<Rollup> {
    const [normal, slow] = [shape(5, 1000), shape(6, 0, 1000)]
    for (let window = 0; window < 100; window++) {
      if (window < 60) yield rowOf(window, normal(window))
      else {
        yield rowOf(window, slow(window), { revision: 1 })
        yield rowOf(window, normal(window), { revision: 2 })
      }
    }
  }
  assert.deepEqual(feed(new Drift(options), corrected()), [])
})

test('a silent host ends its drifts, and keys are bounded', () => {
  const drift = new Drift({ ...options, maxKeys: 1 })
  const alerts = latencies(feed(drift, rowsOf([shape(7), shape(8)], 0, 65)))
  assert.equal(new Set(alerts.map(({ workload }) => workload)).size, 1)
  assert.ok((drift.counters()['driftRefused'] ?? 0) > 50)
  // A row a second, as Kafka sees them.
  const others = Array.from({ length: 310 }, () => rowOf(70, shape(9)(0), { host: 'web-2' }))
  const ended = feed(drift, others, 10_000)
  assert.match(ended[0]?.explanation ?? '', /^Resolved after /)
})

test('restarts at any time raise the same alerts with the same revisions', () => {
  const streams = [shape(10), shape(11, 62, 1000), shape(12, 1000)]
  const rows = [...rowsOf(streams, 0, 130)]
  const truth = feed(new Drift(options), rows)
  assert.ok(truth.length >= 8)
  for (const every of [97, 211]) {
    const found: Alert[] = []
    let drift = new Drift(options)
    let offset = 0
    for (let handled = 0; handled < rows.length; ) {
      for (const { value } of drift.handle(rows[offset] as Rollup, contextAt(offset))) found.push(value as Alert)
      offset++
      if (offset <= handled) continue
      handled = offset
      if (handled % every !== 0) continue
      const { resumeOffset, metadata } = drift.checkpoint()
      assert.ok(Buffer.byteLength(metadata) <= maxMetadataBytes)
      drift = new Drift(options)
      drift.restore(metadata)
      offset = Number(resumeOffset ?? offset)
      assert.ok(offset > handled - 4 * 65, 'a restart reads only the history again')
    }
    const plain = (alerts: readonly Alert[]) =>
      alerts.map(({ id, revision, count, last_seen }) => ({ id, revision, count, last_seen }))
    assert.deepEqual(plain(found), plain(truth))
  }
})
