import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Output } from '../../../consumer/handler.ts'
import { Rollups } from '../../../consumer/rollups/rollups.ts'
import { decode, encode } from '../../../wire/codec.ts'
import type { Rollup } from '../../../wire/types.ts'
import { batchOf, contextOf, ofColumns, processOf, summaryOf } from '../support/batches.ts'
import { epochUs } from '../support/call-streams.ts'
import {
  at,
  call,
  handleAll,
  options,
  revisionOf,
  rollupsOf,
  rowsByBatch,
  seconds,
  statusesOf
} from './support/rollups-run.ts'

test('a window closes at the first batch whose clock is 100 ms past its end, and once', () => {
  const log = [at(0.5, 1, { events: [call(0.1), call(0.2)] }), at(1.05, 2), at(1.1, 3), at(1.5, 4)]
  assert.deepEqual(
    rowsByBatch(new Rollups(seconds), log).map((rows) => rows.map(({ count, revision }) => ({ count, revision }))),
    [[], [], [{ count: 2, revision: 1 }], []]
  )
})

test('a window has a partial result while it is open, and a final result when it closes', () => {
  const log = [
    at(0.3, 1, { events: [call(0.1)] }),
    at(0.5, 2, { events: [call(0.1)] }),
    at(0.7, 3, { events: [call(0.1)] }),
    at(1.2, 4, { events: [call(0.1, { syscall: 'write' })] }),
    at(2.2, 5)
  ]
  const rows = rowsByBatch(new Rollups({ ...seconds, partialAfterMs: 500 }), log)
  assert.deepEqual(
    rows.map((rows) => rows.map(({ count, revision, complete }) => [count, revision, complete])),
    [[], [[2, 1, false]], [], [[3, 2, true]], [[1, 1, true]]]
  )
  const quiet = rowsByBatch(new Rollups({ ...seconds, partialAfterMs: 500 }), [
    at(0.5, 1, { events: [call(0.1)] }),
    at(1.2, 2),
    at(1.3, 3)
  ])
  assert.deepEqual(
    quiet.map((rows) => rows.map(({ count, revision, complete }) => [count, revision, complete])),
    [[[1, 1, false]], [[1, 2, true]], []]
  )
})

test('late calls of a batch make one revision, calls beyond the allowed lateness are counted', () => {
  const handler = new Rollups({ ...seconds, maxKeys: 10, latenessMs: 2000 })
  const log = [
    at(0.5, 1, { events: [call(0.1)] }),
    at(1.2, 2),
    at(1.3, 3, { events: [call(0.9), call(0.8)] }),
    at(3.05, 4, { events: [call(2.5)] }),
    at(3.2, 5, { events: [call(2.7)] }),
    at(4.0, 6, { events: [call(3.5)] })
  ]
  const counts = rowsByBatch(handler, log).map((rows) => rows.map(({ count, revision }) => [revision, count]))
  assert.deepEqual(counts, [[], [[1, 1]], [[2, 3]], [[3, 4]], [[4, 5]], []])
  assert.equal(handler.counters()['late'], 1)
})

test('a late call corrects every window that contains it, or is counted once', () => {
  const handler = new Rollups({ ...options, by: [], partialAfterMs: 0, windowsMs: [1000, 10_000], latenessMs: 3000 })
  const log = [
    at(9.5, 1, { events: [call(0.1)] }),
    at(10.2, 2),
    at(10.3, 3, { events: [call(1)] }),
    at(14, 4),
    at(14, 5, { events: [call(8)] })
  ]
  assert.deepEqual(
    handleAll(handler, log).map((outputs) =>
      rollupsOf(outputs).map(({ window_ms, revision, count }) => [window_ms, revision, count])
    ),
    [
      [],
      [
        [1000, 1, 1],
        [10_000, 1, 1]
      ],
      [
        [1000, 2, 2],
        [10_000, 2, 2]
      ],
      [],
      []
    ]
  )
  assert.equal(handler.counters()['late'], 1)
})

test('the final batch of a run closes all windows, and the next run corrects them', () => {
  const [first = [], second = []] = rowsByBatch(
    new Rollups({ ...options, by: ['process'] }),
    [at(0.5, 1, { final: true, events: [call(0.1)] }), at(0.9, 1, { run: 'run-2', events: [call(0.1)] })],
    'workload'
  )
  const revisions = (revision: number, count: number) =>
    options.windowsMs.map((windowMs) => [windowMs, revision, count])
  assert.deepEqual(
    first.map(({ window_ms, revision, count }) => [window_ms, revision, count]),
    revisions(1, 1)
  )
  assert.deepEqual(
    second.map(({ window_ms, revision, count }) => [window_ms, revision, count]),
    revisions(2, 2)
  )
})

test('processes beyond the bound share a row named other for each call, and count in their workload', () => {
  const handler = new Rollups({ ...seconds, maxKeys: 3 })
  const processes = Array.from({ length: 10 }, (_, i) => processOf({ pid: i + 1 }))
  const events = processes.flatMap((_, process) => [call(0.1, { process }), call(0.1, { process, syscall: 'write' })])
  const outputs = handleAll(handler, [at(0.5, 1, { final: true, processes, events })]).flat()
  assert.deepEqual(
    rollupsOf(outputs).map(({ by, pid, comm, workload, syscall, count, other }) =>
      [by, pid, comm, workload, syscall, count, other].join(' ')
    ),
    [
      'workload 0 client /usr/bin/client read 10 false',
      'workload 0 client /usr/bin/client write 10 false',
      'process 1 client /usr/bin/client read 1 false',
      'process 1 client /usr/bin/client write 1 false',
      'process 2 client /usr/bin/client read 1 false',
      'process 0 other other write 9 true',
      'process 0 other other read 8 true'
    ]
  )
  assert.deepEqual(
    statusesOf(outputs).map(({ rows, others }) => [rows, others]),
    [[3, 17]]
  )
})

test('workloads beyond the bound share a row named other for each call, in windows of any length', () => {
  const handler = new Rollups({ ...options, by: [], maxKeys: 2 })
  const processes = Array.from({ length: 9 }, (_, i) => processOf({ pid: i + 1, exe: `/bin/${i}` }))
  const events = processes.flatMap((_, process) => [call(0.1, { process }), call(0.1, { process, syscall: 'write' })])
  const rows = rollupsOf(handleAll(handler, [at(0.5, 1, { final: true, processes, events })]).flat())
  for (const windowMs of options.windowsMs) {
    const own = rows.filter(({ window_ms }) => window_ms === windowMs)
    assert.deepEqual(
      own.map(({ pid, comm, workload, syscall, count, other }) =>
        [pid, comm, workload, syscall, count, other].join(' ')
      ),
      [
        '0 client /bin/0 read 1 false',
        '0 client /bin/0 write 1 false',
        '0 other other read 8 true',
        '0 other other write 8 true'
      ]
    )
  }
})

test('the calls of a process belong to the program that it ran at the time', () => {
  const processes = [processOf({ comm: 'sh', exe: '/bin/sh' }), processOf({ comm: 'ls', exe: '/bin/ls' })]
  const events = [call(0.2, { process: 0 }), call(0.1, { process: 1 })]
  const rows = rollupsOf(handleAll(new Rollups(seconds), [at(0.5, 1, { final: true, processes, events })]).flat())
  assert.deepEqual(
    rows.map(({ by, pid, comm, workload, exe }) => [by, pid, comm, workload, exe].join(' ')),
    [
      'workload 0 sh /bin/sh /bin/sh',
      'workload 0 ls /bin/ls /bin/ls',
      'process 100 sh /bin/sh /bin/sh',
      'process 100 ls /bin/ls /bin/ls'
    ]
  )
})

test('a row has the rate of its window, and a weighted one with the windows before it', () => {
  const rows = rowsByBatch(new Rollups(seconds), [
    at(1.5, 1, { events: Array.from({ length: 10 }, () => call(0.2)) }),
    at(4.5, 2, { events: Array.from({ length: 20 }, () => call(0.2)) }),
    at(5.2, 3)
  ]).flat()
  const [gain, left] = [1 - Math.exp(-0.1), Math.exp(-0.3)]
  assert.deepEqual(
    rows.map(({ rate }) => rate),
    [10, 20]
  )
  for (const [i, expected] of [10 * gain, 10 * gain * left + 20 * gain].entries()) {
    assert.ok(Math.abs((rows[i]?.rate_ewma ?? 0) - expected) < 1e-9, `${rows[i]?.rate_ewma}, not ${expected}`)
  }
})

test('a restart changes the weighted rate by less than e^-7', () => {
  const log = Array.from({ length: 400 }, (_, i) => at(0.5 + i / 2, i + 1, { events: [call(0.1), call(0.2)] }))
  const first = new Rollups(options)
  handleAll(first, log.slice(0, 300))
  const { resumeOffset, metadata } = first.checkpoint()
  const second = new Rollups(options)
  second.restore(metadata)
  const again = rollupsOf(
    log
      .slice(Number(resumeOffset))
      .flatMap((batch, i) => [
        ...(ofColumns(second).handle(batch, contextOf((resumeOffset ?? 0n) + BigInt(i))) as Output[])
      ])
  )
  const whole = new Map(rollupsOf(handleAll(new Rollups(options), log).flat()).map((row) => [revisionOf(row), row]))
  assert.ok(again.length > 100)
  for (const row of again) {
    const { rate_ewma } = whole.get(revisionOf(row)) ?? assert.fail()
    assert.ok(Math.abs(row.rate_ewma - rate_ewma) <= rate_ewma * Math.exp(-7))
  }
})

test('a start in the middle of a run publishes no window that began before', () => {
  const handler = new Rollups({ ...seconds, windowsMs: [1000, 10_000] })
  const log = [
    at(0.5, 7, { events: [call(0.1)] }),
    at(1.5, 8, { events: [call(0.9), call(0.1)] }),
    at(10.5, 9, { events: [call(0.1)] }),
    at(20.5, 10)
  ]
  assert.deepEqual(
    rollupsOf(handleAll(handler, log).flat()).map(({ by, window_ms, window_start, count }) => [
      by,
      window_ms,
      window_start - epochUs,
      count
    ]),
    [
      ['workload', 1000, 1e6, 1],
      ['process', 1000, 1e6, 1],
      ['workload', 1000, 10e6, 1],
      ['process', 1000, 10e6, 1],
      ['workload', 10_000, 10e6, 1]
    ]
  )
  assert.equal(handler.counters()['outside'], 2)
})

test('all windows close while a clock is stepped back and forth by an hour', () => {
  const handler = new Rollups(options)
  const handle = ofColumns(handler)
  const rows: Rollup[] = []
  let monotonic_us = 1e9
  let closedAt = 0
  for (let i = 0; i < 2000; i++) {
    monotonic_us += 100_000
    const hours = Math.floor(i / 500) % 2
    const clock = { monotonic_us, wall_us: epochUs + monotonic_us + hours * 3600e6 }
    const batch = batchOf({ batch: i + 1, final: i === 1999, clock, events: [call(0.05), call(0.01)] })
    const closed = rollupsOf(handle.handle(batch, contextOf(BigInt(i))) as Output[])
    rows.push(...closed)
    if (closed.length > 0) closedAt = i
    assert.ok(i - closedAt < 25, 'a window did not close')
    assert.ok(i - Number(handler.checkpoint().resumeOffset) < 850, 'the resume offset stays behind')
  }
  const highest = new Map(rows.map((row) => [`${row.window_start} ${row.window_ms} ${row.by}`, row]))
  const counted = [...highest.values()].filter(({ window_ms, by }) => window_ms === 1000 && by === 'workload')
  const calls = counted.reduce((sum, { count }) => sum + count, 0)
  // Each of the three steps loses calls of at most the window in which it happened.
  assert.ok(calls <= 4000 && calls >= 4000 - 3 * 2 * 11, `${calls} of 4000`)
})

test('a call far ahead of the clock is in no window', () => {
  const handler = new Rollups(options)
  const log = [at(0.5, 1, { events: [call(-3e7)] }), at(0.6, 2, { final: true })]
  assert.deepEqual(rollupsOf(handleAll(handler, log).flat()), [])
  assert.equal(handler.counters()['outside'], 1)
})

test('a host expires when it is silent for a minute while others send', () => {
  const handler = new Rollups({ ...options, windowsMs: [1000, 10_000], by: [] })
  const gone = at(0.5, 1, { host: 'gone', run: 'other', events: [call(0.1)] })
  const rows = rollupsOf(handleAll(handler, [gone, ...Array.from({ length: 150 }, (_, i) => at(i, i + 1))]).flat())
  assert.deepEqual(
    rows.map(({ host, window_ms, count, complete }) => [host, window_ms, count, complete]),
    [
      ['gone', 1000, 1, false],
      ['gone', 1000, 1, true],
      ['gone', 10_000, 1, true]
    ]
  )
  assert.ok((handler.checkpoint().resumeOffset ?? 0n) > 40n)
})

test('the first batch of a run that took over publishes no window that began before', () => {
  const handler = new Rollups(seconds)
  const continues = { run: 'run-0', batch: 5 }
  const log = [at(0.5, 1, { continues, events: [call(0.1)] }), at(2, 2, { final: true })]
  assert.deepEqual(rollupsOf(handleAll(handler, log).flat()), [])
  assert.equal(handler.counters()['outside'], 1)
})

test('sums beyond the greatest long that Avro carries become that long', () => {
  const month = 2_592_000e9
  const events = Array.from({ length: 100 }, () => call(0.1, { syscall: 'futex', duration_ns: month }))
  const summaries = [
    summaryOf({ time_offset_ns: 0, total_ns: 2 ** 53 - 2, bytes: 2 ** 53 - 2, latency: [{ index: 1695, count: 1 }] }),
    summaryOf({ time_offset_ns: 0, total_ns: 2 ** 53 - 2, bytes: 2 ** 53 - 2, latency: [{ index: 2047, count: 1 }] })
  ]
  const [rows = []] = rowsByBatch(new Rollups(seconds), [at(0.9, 1, { final: true, events, summaries })])
  for (const row of rows) assert.deepEqual(decode('Rollup', encode('Rollup', row)), row)
  assert.deepEqual(
    rows.map(({ total_ns, bytes }) => [total_ns, bytes]),
    [
      [2 ** 53 - 2, 0],
      [2 ** 53 - 2, 2 ** 53 - 2]
    ]
  )
})

test('requests to io_uring have rows of their own', () => {
  const events = [
    call(0.1, { kind: 'io_uring', syscall: 'read', call: 'io_uring_read', ret: 0, duration_ns: 0 }),
    call(0.1, { syscall: 'other', call: 'getppid', ret: 7 })
  ]
  const [rows = []] = rowsByBatch(new Rollups(seconds), [at(0.5, 1, { final: true, events })])
  assert.deepEqual(
    rows.map(({ syscall, count, bytes }) => [syscall, count, bytes]),
    [
      ['io_uring_read', 1, 0],
      ['getppid', 1, 0]
    ]
  )
})

test('forged counts whose sum no record can have take no honest batch with them', () => {
  const handler = new Rollups(seconds)
  const forged = Array.from({ length: 9000 }, () =>
    summaryOf({ count: 2 ** 40, latency: [{ index: 3, count: 2 ** 40 }] })
  )
  const log = [at(0.5, 1, { summaries: forged }), at(0.7, 2, { events: [call(0.6)] }), at(2, 3)]
  const outputs = handleAll(handler, log).flat()
  for (const row of rollupsOf(outputs)) encode('Rollup', row)
  for (const row of statusesOf(outputs)) encode('HostStatus', row)
  assert.ok(rollupsOf(outputs).some(({ count }) => count > 2 ** 52))
})
