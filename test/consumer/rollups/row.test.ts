import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Key } from '../../../consumer/rollups/key.ts'
import { Row } from '../../../consumer/rollups/row.ts'
import { Tally } from '../../../consumer/rollups/tally.ts'
import { decode, encode } from '../../../wire/codec.ts'
import { callNames } from '../../../wire/columns.ts'
import { indexOf } from '../../../wire/log-linear.ts'
import type { Process, RollupKey } from '../../../wire/types.ts'
import { verdictTableOf } from '../../../wire/verdict.ts'
import { processOf } from '../support/batches.ts'

const span = { startUs: 1_767_225_600_000_000, endUs: 1_767_225_610_000_000, isClosed: true }

const rollupOf = (by: RollupKey, fields: Partial<Key>, process: Process | undefined) => {
  const key = { workload: '/bin/a', pid: 0, startUs: 0, goFunction: null, code: callNames.codeOf('read'), ...fields }
  const row = new Row(by, key, process)
  const part = new Tally()
  for (let ns = 1; ns <= 1000; ns++) part.add(ns * 1000, ns % 10 === 0 ? -4 : 2, true, verdictTableOf('read'))
  row.merge(part)
  row.revision = 3
  row.rateEwma = 0.5
  return row.rollup('host-a', span)
}

test('a row becomes a rollup record that readers can merge', () => {
  const rollup = rollupOf('process', { pid: 7, startUs: 9 }, processOf({ exe: '/bin/a' }))
  const { latency, p50_ns, p90_ns, p95_ns, p99_ns, p999_ns, ...rest } = rollup
  assert.deepEqual(rest, {
    ...{ host: 'host-a', workload: '/bin/a', pid: 7, start_us: 9, comm: 'client', exe: '/bin/a', container_id: null },
    ...{ syscall: 'read', window_start: span.startUs, window_ms: 10_000, revision: 3, complete: true },
    ...{ by: 'process', go_function: null, other: false, count: 1000, errnos: [{ errno: 'EINTR', count: 100 }] },
    ...{ failed: 0, expected: 0, interrupted: 100 },
    ...{ bytes: 1800, total_ns: 500_500_000, max_ns: 1_000_000, rate: 100, rate_ewma: 0.5 }
  })
  assert.equal(
    latency.reduce((sum, { count }) => sum + count, 0),
    1000
  )
  assert.deepEqual(
    [p50_ns, p90_ns, p95_ns, p99_ns, p999_ns].map(indexOf),
    [500_000, 900_000, 950_000, 990_000, 999_000].map(indexOf)
  )
  assert.deepEqual(decode('Rollup', encode('Rollup', rollup)), rollup)
})

test('the row of a container has no executable, the row named other has no process', () => {
  const inContainer = processOf({ container_id: 'c1' })
  const shown = (rollup: ReturnType<typeof rollupOf>) => [rollup.exe, rollup.container_id, rollup.comm, rollup.other]
  assert.deepEqual(shown(rollupOf('workload', { workload: 'c1' }, inContainer)), [null, 'c1', 'client', false])
  assert.deepEqual(shown(rollupOf('process', { pid: 1 }, inContainer)), ['/usr/bin/client', 'c1', 'client', false])
  assert.deepEqual(shown(rollupOf('workload', { workload: 'other' }, undefined)), [null, null, 'other', true])
})

test('a row of outcomes alone has failures and no calls, and keeps them when calls follow', () => {
  const key = { workload: '/bin/a', pid: 7, startUs: 9, goFunction: null, code: callNames.codeOf('connect') }
  const row = new Row('process', key, processOf())
  const outcome = new Tally()
  outcome.addError(111, 1, verdictTableOf('connect'))
  row.take(outcome)
  const { count, failed, rate, p50_ns, max_ns } = row.rollup('host-a', span)
  assert.deepEqual({ count, failed, rate, p50_ns, max_ns }, { count: 0, failed: 1, rate: 0, p50_ns: 0, max_ns: 0 })
  const call = new Tally()
  call.add(1000, -115, false, verdictTableOf('connect'))
  row.take(call)
  const later = row.rollup('host-a', span)
  assert.deepEqual([later.count, later.failed, later.expected], [1, 1, 1])
})
