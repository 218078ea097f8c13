// Metrics and rows of rollups agree, also with duplicates, late calls and restarts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Output } from '../../../consumer/handler.ts'
import { MeasuredRollups } from '../../../consumer/rollups/measured-rollups.ts'
import { RollupMetrics } from '../../../consumer/rollups/rollup-metrics.ts'
import { Rollups } from '../../../consumer/rollups/rollups.ts'
import type { Config } from '../../../runtime/config.ts'
import type { Rollup } from '../../../wire/types.ts'
import { hosted, ofColumns } from '../support/batches.ts'
import { highestRevisions, streamOf } from '../support/call-streams.ts'

const options: Config['rollups'] = {
  windowsMs: [1000, 10_000],
  by: ['process'],
  partialAfterMs: 500,
  maxKeys: 20_000,
  latenessMs: 10_000
}

interface Sums {
  calls: number
  /** Errors of any verdict. */
  errors: number
  bytes: number
}

const sumsOf = (rows: Iterable<Rollup>): Sums => {
  const sums = { calls: 0, errors: 0, bytes: 0 }
  for (const { by, window_ms, count, failed, expected, interrupted, bytes } of rows) {
    if (by !== 'workload' || window_ms !== 1000) continue
    sums.calls += count
    sums.errors += failed + expected + interrupted
    sums.bytes += bytes
  }
  return sums
}

const exportedSums = ({ families }: RollupMetrics): Sums => {
  const sums = { calls: 0, errors: 0, bytes: 0 }
  for (const family of families) {
    if (family.kind === 'histogram') {
      for (const { buckets } of family.samples()) for (const count of Array.from(buckets)) sums.calls += count
    } else {
      const values = [...family.samples()].reduce((sum, { value }) => sum + value, 0)
      if (family.name === 'ringside_call_errnos_total') sums.errors = values
      if (family.name === 'ringside_call_bytes_total') sums.bytes = values
    }
  }
  return sums
}

const rollupsIn = (outputs: Iterable<Output>): Rollup[] =>
  [...outputs].flatMap((output) => (output.to === 'rollups' ? output.value : []))

for (const seed of [1, 2, 3, 4, 5]) {
  test(`the series of stream ${seed} add up to its rows, with and without a restart`, () => {
    const log = streamOf(seed)
    for (const restartAt of [undefined, log.length >> 1]) {
      const metrics = new RollupMetrics({ windowMs: 1000, latenessMs: options.latenessMs, maxSeries: 1000 })
      const rows: Rollup[] = []
      let handler = new MeasuredRollups(new Rollups(options), metrics)
      let handle = hosted(ofColumns(handler))
      for (let offset = 0; offset < log.length; offset++) {
        rows.push(...rollupsIn(handle(log[offset] as (typeof log)[number], offset)))
        if (offset !== restartAt) continue
        const { resumeOffset, metadata } = handler.checkpoint()
        handler = new MeasuredRollups(new Rollups(options), metrics)
        handler.restore(metadata)
        handle = hosted(ofColumns(handler))
        for (let again = Number(resumeOffset ?? offset + 1); again <= offset; again++) {
          rows.push(...rollupsIn(handle(log[again] as (typeof log)[number], again)))
        }
      }
      const truth = sumsOf(highestRevisions(rows).values())
      assert.ok(truth.calls > 1000)
      assert.deepEqual(exportedSums(metrics), truth)
    }
  })
}
