// Rows of counted calls: the summaries of the edge in the rollups service.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Rollups } from '../../../consumer/rollups/rollups.ts'
import { indexOf } from '../../../wire/log-linear.ts'
import type { EventBatch, Process, Rollup } from '../../../wire/types.ts'
import { processOf, summaryOf } from '../support/batches.ts'
import { epochUs, highestRevisions, pick, summarize, syscalls } from '../support/call-streams.ts'
import { random } from '../support/random.ts'
import { at, call, handleAll, options, rollupsOf, rowsByBatch, seconds } from './support/rollups-run.ts'

for (let seed = 1; seed <= 4; seed++) {
  test(`counted calls make the same rows as emitted ones, except the longest duration (${seed})`, () => {
    const next = random(seed)
    const processes: Process[] = Array.from({ length: 5 }, (_, i) => processOf({ pid: i + 1 }))
    const [emitted, counted]: [EventBatch[], EventBatch[]] = [[], []]
    for (let second = 1; second <= 20; second++) {
      const calls = Array.from({ length: 1 + pick(next, 400) }, () => ({
        process: pick(next, processes.length),
        syscall: syscalls[pick(next, syscalls.length)] as string,
        duration_ns: 1 + pick(next, 2 ** pick(next, 40)),
        ret: next() < 0.2 ? -11 : pick(next, 4096)
      }))
      // The edge switches tables just after the second, and publishes the summary a little later.
      const time = { time_offset_ns: -Math.round((0.05 - next() * 0.02) * 1e9), duration_ns: 1e9 }
      const groups = Map.groupBy(calls, ({ process, syscall }) => `${process} ${syscall}`)
      const fields = { processes, final: second === 20 }
      emitted.push(at(second + 0.05, second, { ...fields, events: calls.map((one) => call(0.06, one)) }))
      const summaries = [...groups.values()].map((of) => {
        const { process, syscall } = of[0] ?? assert.fail()
        return summarize(of, { process, syscall, ...time })
      })
      counted.push(at(second + 0.05, second, { ...fields, counted_until_us: 1e9 + second * 1e6, summaries }))
    }
    const rowsOf = (log: readonly EventBatch[]) => {
      const rows = highestRevisions(rollupsOf(handleAll(new Rollups(options), log).flat()))
      return [...rows].sort(([a], [b]) => (a < b ? -1 : 1))
    }
    const exact = ([key, { max_ns, p50_ns, p90_ns, p95_ns, p99_ns, p999_ns, ...row }]: [string, Rollup]) => ({
      ...{ key, ...row },
      buckets: [p50_ns, p90_ns, p95_ns, p99_ns, p999_ns].map(indexOf)
    })
    const [found, expected] = [rowsOf(counted), rowsOf(emitted)]
    assert.deepEqual(found.map(exact), expected.map(exact))
    for (const [i, [key, row]] of found.entries()) {
      const truth = expected[i]?.[1].max_ns ?? assert.fail()
      assert.ok(row.max_ns >= truth && row.max_ns < truth * 1.032, `${key}: ${row.max_ns} instead of ${truth}`)
    }
  })
}

test('a window waits for its counted calls', () => {
  const handler = new Rollups(seconds)
  const count = (us: number) => ({ counted_until_us: 1e9 + us })
  const rows = rowsByBatch(handler, [
    at(0.5, 1, { ...count(3000), events: [call(0.1)] }),
    at(1.2, 2, count(3000)),
    at(1.9, 3, { ...count(1_003_000), summaries: [summaryOf({ time_offset_ns: -897_000_000 })] }),
    at(2.5, 4, count(1_003_000))
  ])
  assert.deepEqual(
    rows.map((of) => of.map(({ count, revision }) => [count, revision])),
    [[], [], [[5, 1]], []]
  )
  assert.equal(handler.counters()['counted'], 4)
})

test('a window does not wait for counted calls beyond the allowed lateness', () => {
  const handler = new Rollups({ ...seconds, latenessMs: 2000 })
  const log = [at(0.5, 1, { events: [call(0.1)] }), at(3.0, 2), at(3.2, 3), at(4, 4)]
  const rows = rowsByBatch(
    handler,
    log.map((batch) => ({ ...batch, counted_until_us: 1e9 }))
  )
  const counts = rows.map((rows) => rows.map(({ count }) => count))
  assert.deepEqual(counts, [[], [], [1], []])
})

test('a summary of a longer time belongs to the second in which it ended, or is counted as late', () => {
  const handler = new Rollups({ ...seconds, latenessMs: 2000 })
  const rows = rowsByBatch(handler, [
    at(60.1, 1, { summaries: [summaryOf({ time_offset_ns: -97_000_000, duration_ns: 60e9 })] }),
    at(70, 2),
    at(70, 3, { summaries: [summaryOf({ time_offset_ns: -9e9 })] })
  ]).flat()
  assert.deepEqual(
    rows.map(({ window_start, count }) => [window_start - epochUs, count]),
    [[59e6, 4]]
  )
  assert.equal(handler.counters()['late'], 4)
})
