// Random streams of calls, with late calls, duplicates, takeovers and kills: rows are the sums of the calls.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maxMetadataBytes, type Output } from '../../../consumer/handler.ts'
import { Rollups } from '../../../consumer/rollups/rollups.ts'
import { indexOf } from '../../../wire/log-linear.ts'
import { Sketch } from '../../../wire/sketch.ts'
import type { EventBatch, Rollup } from '../../../wire/types.ts'
import { hosted, ofColumns } from '../support/batches.ts'
import {
  highestRevisions,
  namedErrnos,
  recompute,
  rowKeyOf,
  streamOf,
  type Truth,
  tallied
} from '../support/call-streams.ts'
import { random } from '../support/random.ts'
import { handleAll, options, revisionOf, rollupsOf, statusesOf } from './support/rollups-run.ts'

/** The highest revisions of rows are the true sums. */
const assertTrue = (rows: readonly Rollup[], truths: Map<string, Truth>): void => {
  const highest = highestRevisions(rows)
  assert.deepEqual([...highest.keys()].sort(), [...truths.keys()].sort())
  for (const [key, truth] of truths) {
    const row = highest.get(key) ?? assert.fail()
    const { count, failed, expected, interrupted, bytes, total_ns, complete, latency } = row
    const { durations, counted, ...sums } = truth
    const buckets = tallied(durations.map((duration) => Math.max(0, indexOf(duration))))
    // As text: there are thousands of rows.
    assert.equal(
      JSON.stringify({
        ...{ count, failed, expected, interrupted, bytes, total_ns, errnos: row.errnos, latency, complete }
      }),
      JSON.stringify({ ...sums, errnos: namedErrnos(truth.errnos), latency: buckets, complete: true }),
      key
    )
    durations.sort((a, b) => a - b)
    const longest = durations.at(-1) as number
    if (counted === 0) assert.equal(row.max_ns, longest)
    else assert.ok(row.max_ns >= longest && row.max_ns <= longest * 1.032, `${key}: ${row.max_ns}, not ${longest}`)
    for (const [q, found] of [
      [0.5, row.p50_ns],
      [0.9, row.p90_ns],
      [0.95, row.p95_ns],
      [0.99, row.p99_ns],
      [0.999, row.p999_ns]
    ] as const) {
      const value = durations[Math.max(1, Math.ceil(q * count - 1e-9 * count)) - 1] as number
      assert.ok(Math.abs(found - value) <= value * 0.016, `${key}: q ${q} is ${found} instead of ${value}`)
    }
  }
}

/** Handles a log as a consume loop that commits sometimes and is killed at random times. */
const runWithKills = (log: readonly EventBatch[], next: () => number): { outputs: Output[]; kills: number } => {
  const all: Output[] = []
  let kills = 0
  let committed = { offset: 0, metadata: undefined as string | undefined }
  for (;;) {
    const handler = new Rollups(options)
    const handle = hosted(ofColumns(handler))
    if (committed.metadata !== undefined) handler.restore(committed.metadata)
    let offset = committed.offset
    for (; offset < log.length; offset++) {
      const outputs = handle(log[offset] as EventBatch, offset)
      if (kills < 12 && next() < 0.01) break
      all.push(...outputs)
      if (kills < 12 && next() < 0.01) break
      if (next() < 0.1) {
        const { resumeOffset, metadata } = handler.checkpoint()
        assert.ok(Buffer.byteLength(metadata) <= maxMetadataBytes)
        committed = { offset: resumeOffset === undefined ? offset + 1 : Number(resumeOffset), metadata }
      }
    }
    if (offset === log.length) return { outputs: all, kills }
    kills++
  }
}

/** Rows merged by key. */
const merged = (rows: Iterable<Rollup>, keyOf: (row: Rollup) => string) =>
  new Map(
    [...Map.groupBy(rows, keyOf)].map(([key, of]) => [
      key,
      {
        count: of.reduce((sum, { count }) => sum + count, 0),
        total_ns: of.reduce((sum, { total_ns }) => sum + total_ns, 0),
        latency: Sketch.of(...of.map(({ latency }) => latency)).buckets(),
        errnos: Object.fromEntries(
          [
            ...Map.groupBy(
              of.flatMap(({ errnos }) => errnos),
              ({ errno }) => errno
            )
          ].map(([errno, counts]) => [errno, counts.reduce((sum, { count }) => sum + count, 0)])
        )
      }
    ])
  )

for (let seed = 1; seed <= 4; seed++) {
  test(`the highest revisions of stream ${seed} are the sums of its calls`, () => {
    const log = streamOf(seed)
    const handler = new Rollups(options)
    const rows = rollupsOf(handleAll(handler, log).flat())
    assertTrue(rows, recompute(log, options.windowsMs))
    assert.equal(handler.counters()['late'], 0)
    for (const revisions of Map.groupBy(rows, rowKeyOf).values()) {
      for (const [i, row] of revisions.entries()) {
        assert.equal(row.revision, i + 1)
        assert.ok(row.count >= (revisions[i - 1]?.count ?? 0))
        assert.equal(row.complete, i > 0 || row.window_ms > 1000 || revisions.length === 1 || row.complete)
        assert.ok(row.complete || !revisions[i - 1]?.complete)
      }
    }
  })

  test(`processes that are killed publish the same rows and statuses of stream ${seed}`, () => {
    const log = streamOf(seed)
    const { outputs, kills } = runWithKills(log, random(seed * 1000))
    assert.ok(kills > 0)
    const rows = rollupsOf(outputs)
    assertTrue(rows, recompute(log, options.windowsMs))
    const undisturbed = handleAll(new Rollups(options), log).flat()
    const statuses = (outputs: Output[]) => new Set(statusesOf(outputs).map((of) => JSON.stringify({ ...of, read: 0 })))
    assert.deepEqual(statuses(outputs), statuses(undisturbed))
    const whole = new Map(rollupsOf(undisturbed).map((row) => [revisionOf(row), row]))
    for (const row of rows) {
      const same = whole.get(revisionOf(row)) ?? assert.fail(`${revisionOf(row)} was not expected`)
      assert.equal(JSON.stringify({ ...row, rate_ewma: 0 }), JSON.stringify({ ...same, rate_ewma: 0 }))
      const { rate_ewma } = same
      assert.ok(Math.abs(row.rate_ewma - rate_ewma) <= 1e-3 * rate_ewma + 1e-3, `${row.rate_ewma}, not ${rate_ewma}`)
    }
  })
}

test('rows merge into the rows of longer windows, workloads and hosts', () => {
  const log = streamOf(21)
  const rows = [...highestRevisions(rollupsOf(handleAll(new Rollups(options), log).flat())).values()]
  const of = (windowMs: number, by: string) => rows.filter((row) => row.window_ms === windowMs && row.by === by)
  const keyIn = (windowMs: number) => (row: Rollup) =>
    [row.host, row.workload, row.syscall, Math.floor(row.window_start / windowMs / 1000)].join(' ')
  const minutes = merged(of(60_000, 'workload'), keyIn(60_000))
  assert.deepEqual(merged(of(1000, 'workload'), keyIn(60_000)), minutes)
  assert.deepEqual(merged(of(10_000, 'workload'), keyIn(60_000)), minutes)
  assert.deepEqual(merged(of(1000, 'process'), keyIn(60_000)), minutes)
  const all = (row: Rollup) => row.syscall
  assert.deepEqual(merged(of(1000, 'process'), all), merged(of(60_000, 'workload'), all))
})

for (let seed = 31; seed <= 32; seed++) {
  test(`each call of stream ${seed} is in a row, or counted once as late or outside`, () => {
    const log = streamOf(seed, 30_000)
    const handler = new Rollups({ ...options, latenessMs: 2000 })
    const rows = highestRevisions(rollupsOf(handleAll(handler, log).flat()))
    const { late = 0, outside = 0 } = handler.counters()
    assert.ok(late > 0)
    const total = [...recompute(log, [1000])].reduce(
      (sum, [key, of]) => sum + (/ workload /.test(key) ? of.count : 0),
      0
    )
    for (const windowMs of options.windowsMs) {
      const own = [...rows.values()].filter((row) => row.by === 'workload' && row.window_ms === windowMs)
      assert.equal(own.reduce((sum, { count }) => sum + count, 0) + late + outside, total)
    }
  })
}
