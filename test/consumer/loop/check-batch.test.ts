import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkBatch, checkColumns } from '../../../consumer/loop/check-batch.ts'
import { columnsOf } from '../../../wire/columns-of.ts'
import type { EventBatch } from '../../../wire/types.ts'
import { samples } from '../../support/records.ts'
import { batchOf, eventOf, processOf, socketOf, summaryOf } from '../support/batches.ts'

/** Checks a batch both as objects and as columns; returns the seqs of the rows that are left, and why others are not. */
const check = (batch: EventBatch) => {
  const columns = columnsOf(batch)
  try {
    const rejected = checkColumns(columns)
    const checked = checkBatch(batch)
    assert.deepEqual(checked.rejected, rejected)
    const { events, summaries } = checked.batch
    const left = [...events, ...summaries].map(({ seq }) => seq)
    const inColumns = [columns.events, columns.summaries].flatMap(({ seq, length }) => [...seq.subarray(0, length)])
    assert.deepEqual(inColumns, left)
    return { left, rejected }
  } catch (refused) {
    assert.throws(() => checkBatch(batch), refused as Error)
    throw refused
  }
}

test('a batch passes when its events and summaries refer to its processes, or when it has none', () => {
  const passed = check(batchOf({ events: [eventOf({ process: 0 })], summaries: [summaryOf({ process: 0 })] }))
  assert.equal(passed.rejected, undefined)
  assert.equal(check(batchOf({ processes: [] })).rejected, undefined)
  const { rejected } = checkBatch(samples.EventBatch)
  assert.equal(rejected, undefined)
})

test('a vsock may have a port that no IP socket can have', () => {
  const of = (family: number): EventBatch => {
    const sockets = [socketOf({}), socketOf({ family, local_port: 2 ** 32 - 1 })]
    return batchOf({ sockets, events: [eventOf({ socket: 0 }), eventOf({ socket: 1 })] })
  }
  assert.equal(checkBatch(of(40)).rejected, undefined)
  assert.equal(checkBatch(of(2)).rejected?.rows, 1)
})

test('a row with an impossible value is left out, whatever it is, and the others are handled', () => {
  const stacks = [{ go_function: 'main.main', go_file: 'main.go', go_line: 7 }]
  const processes = [processOf(), processOf({ pid: -1 }), processOf({ comm: 'x'.repeat(10_000) })]
  const wrong: [Partial<EventBatch>, RegExp][] = [
    ...[
      { process: -1 },
      { process: 3 },
      { process: 1 },
      { process: 2 },
      { cpu: -1 },
      { cpu: 8192 },
      { stack: -2 },
      { stack: 1 },
      { seq: -1 },
      { duration_ns: -1 },
      { duration_ns: 2 ** 60 },
      { time_offset_ns: -(2 ** 60) },
      { bytes: -2 },
      { bytes: 2 ** 60 }
    ].map((fields): [Partial<EventBatch>, RegExp] => [{ events: [eventOf(fields)] }, /an event /]),
    ...[
      { process: 3 },
      { process: 1 },
      { count: -5 },
      { count: 2 ** 52 },
      { total_ns: -1 },
      { bytes: -1 },
      { duration_ns: -1 },
      { time_offset_ns: 2 ** 60 },
      { latency: [{ index: -1, count: 1 }] },
      { latency: [{ index: 1e9, count: 1 }] },
      { latency: [{ index: 3, count: -5 }] },
      { errnos: [{ index: 11, count: 2 ** 52 }] }
    ].map((fields): [Partial<EventBatch>, RegExp] => [{ summaries: [summaryOf(fields)] }, /a summary /])
  ]
  for (const [{ events = [], summaries = [] }, reason] of wrong) {
    const [event, summary] = [eventOf(), summaryOf()]
    const { left, rejected } = check(
      batchOf({ stacks, processes, events: [...events, event], summaries: [...summaries, summary] })
    )
    assert.deepEqual(left, [event.seq, summary.seq])
    assert.deepEqual([rejected?.rows, rejected?.of], [1, 3])
    assert.match(rejected?.reason ?? '', reason)
  }
})

test('an event of an impossible socket is left out where events have sockets', () => {
  const sockets = [
    socketOf({}),
    socketOf({ remote_port: 70_000 }),
    { ...socketOf({}), remote_address: Buffer.alloc(7) }
  ]
  const events = [0, 1, 2, 3, -1].map((socket) => eventOf({ socket }))
  const { batch, rejected } = checkBatch(batchOf({ sockets, events }))
  assert.deepEqual(
    batch.events.map(({ socket }) => socket),
    [0, -1]
  )
  assert.equal(rejected?.rows, 3)
})

test('a summary with impossible limited calls is left out where summaries have them', () => {
  const summaries = [-1, 0, 2 ** 52].map((limited) => summaryOf({ limited }))
  const { batch, rejected } = checkBatch(batchOf({ summaries }))
  assert.deepEqual(
    batch.summaries.map(({ limited }) => limited),
    [0]
  )
  assert.deepEqual([rejected?.rows, rejected?.reason], [2, 'a summary of -1 limited calls'])
})

test('a batch with an impossible header is refused as a whole', () => {
  const clock = { monotonic_us: 1, wall_us: 1 }
  for (const header of [
    { host: '' },
    { host: 'x'.repeat(10_000) },
    { boot: 'x'.repeat(10_000) },
    { batch: -1 },
    { clock: { ...clock, wall_us: -1 } },
    { clock: { ...clock, wall_us: 2 ** 53 } },
    { clock: { ...clock, monotonic_us: -5 } },
    { counted_until_us: 2 ** 53 },
    { sequences: [{ cpu: 8192, first: 1, last: 2 }] },
    { sequences: [{ cpu: 0, first: 9, last: 2 }] },
    { drops: [{ class: 'io', reason: 'other', count: -5 }] },
    { drops: [{ class: 'io', reason: 'other', count: 2 ** 52 }] }
  ] as const satisfies Partial<EventBatch>[]) {
    const batch = batchOf({ events: [eventOf()], ...(header as Partial<EventBatch>) })
    assert.throws(() => check(batch), { code: 'DATA', message: /^batch -?\d+ of .* has / })
  }
})

test('a batch without a possible row is refused, with its name and the first reason', () => {
  for (const process of [-1, 1]) {
    assert.throws(() => check(batchOf({ batch: 7, events: [eventOf({ process })] })), {
      code: 'DATA',
      message: `batch 7 of host-a (run run-1) has 1 processes, but an event of process ${process}`
    })
  }
})

test('a summary of a missing process is refused', () => {
  assert.throws(() => check(batchOf({ summaries: [summaryOf({ process: 1 })] })), {
    code: 'DATA',
    message: 'batch 1 of host-a (run run-1) has 1 processes, but a summary of process 1'
  })
})

test('an event of a CPU that no kernel has is refused', () => {
  check(batchOf({ events: [eventOf({ cpu: 8191 })] }))
  for (const cpu of [-1, 8192]) {
    assert.throws(() => check(batchOf({ events: [eventOf({ cpu })] })), {
      code: 'DATA',
      message: `batch 1 of host-a (run run-1) has an event of CPU ${cpu}, but a kernel has at most 8192`
    })
  }
})

test('an event of a missing stack is refused', () => {
  const stacks = [{ go_function: 'main.main', go_file: 'main.go', go_line: 7 }]
  check(batchOf({ stacks, events: [eventOf({ stack: -1 }), eventOf({ stack: 0 })] }))
  for (const stack of [-2, 1]) {
    assert.throws(() => check(batchOf({ stacks, events: [eventOf({ stack })] })), {
      code: 'DATA',
      message: `batch 1 of host-a (run run-1) has 1 stacks, but an event of stack ${stack}`
    })
  }
})
