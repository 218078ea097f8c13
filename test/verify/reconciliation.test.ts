import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HostReport } from '../../verify/host-report.ts'
import { Reconciliation } from '../../verify/reconciliation.ts'
import { eventClasses } from '../../wire/event-class.ts'
import type { Event, EventBatch, Ledger, LedgerClass, Summary } from '../../wire/types.ts'
import { batchOf, eventOf } from '../consumer/support/batches.ts'

const event = (cpu: number, seq: number, syscall = 'read'): Event => eventOf({ cpu, seq, syscall })

const summary = (seq: number, count: number): Summary => ({
  process: 0,
  syscall: 'read',
  call: null,
  class: 'io',
  seq,
  time_offset_ns: 0,
  duration_ns: 1_000_000_000,
  count,
  errors: 0,
  total_ns: 1,
  bytes: 0,
  latency: [],
  sizes: [],
  errnos: [],
  limited: 0,
  uncounted: 0
})

const ledger = (io: Partial<LedgerClass>, uncounted = 0): Ledger => ({
  monotonic_us: 1,
  untracked: 0,
  uncounted,
  classes: eventClasses.map((name) => ({
    class: name,
    off: 0,
    counted: 0,
    emitted: 0,
    dropped: 0,
    published: 0,
    spooled: 0,
    ...(name === 'io' ? io : {})
  })),
  steps: [],
  limited: 0,
  process_events: 0,
  bound_steps: [],
  limited_processes: [],
  cpu_process_us: 0,
  cpu_programs_us: -1
})

/** Three batches of one CPU with seq 11…20: 14 is a declared drop; one summary of 7 calls. */
const run = (name = 'run-1', io: Partial<LedgerClass> = {}): [EventBatch, EventBatch, EventBatch] => [
  batchOf({
    run: name,
    sequences: [{ cpu: 0, first: 11, last: 13 }],
    events: [event(0, 11), event(0, 12), event(0, 13)]
  }),
  batchOf({
    run: name,
    batch: 2,
    sequences: [
      { cpu: 0, first: 14, last: 17 },
      { cpu: -1, first: 1, last: 1 }
    ],
    // 15 waited in the other ring: it is in the next batch.
    events: [event(0, 16), event(0, 17)],
    summaries: [summary(1, 7)]
  }),
  batchOf({
    run: name,
    batch: 3,
    final: true,
    sequences: [{ cpu: 0, first: 18, last: 20 }],
    events: [event(0, 15), event(0, 18), event(0, 19), event(0, 20)],
    drops: [{ class: 'io', reason: 'ring_full', count: 1 }],
    ledger: ledger({ emitted: 9, dropped: 1, counted: 7, off: 2, ...io })
  })
]

const verified = (...batches: readonly EventBatch[]): HostReport[] => {
  const reconciliation = new Reconciliation()
  for (const [i, batch] of batches.entries()) reconciliation.add(batch, 1000 * i)
  return reconciliation.reports()
}

const only = (...batches: readonly EventBatch[]): HostReport => {
  const reports = verified(...batches)
  assert.equal(reports.length, 1)
  return reports[0] as HostReport
}

const kindsOf = ({ findings }: HostReport): string[] => findings.map(({ kind }) => kind)

test('a run with a final batch agrees when each sequence number is an event, a summary or a declared drop, in any order', () => {
  const report = only(...run())
  assert.deepEqual(report.findings, [])
  assert.equal(report.agrees, true)
  assert.deepEqual(
    [report.accounted, report.events, report.summaries, report.dropped, report.duplicates],
    [11, 9, 1, 1, 0]
  )
  assert.deepEqual(report.classes.at(-1), {
    class: 'io',
    off: 2,
    counted: 7,
    emitted: 9,
    dropped: 1,
    events: 9,
    summarised: 7
  })
})

test('duplicate batches are counted and change nothing, even after the final batch', () => {
  const [first, second, third] = run()
  const report = only(first, second, second, third, third)
  assert.equal(report.agrees, true)
  assert.equal(report.duplicates, 3 + 4)
  assert.equal(report.batches, 3)
})

test('a missing event is reported with its CPU and sequence number, as lost without a declaration', () => {
  const [first, second, third] = run()
  const report = only(first, { ...second, events: [event(0, 17)] }, third)
  assert.deepEqual(kindsOf(report), ['undeclared', 'emitted'])
  const [undeclared, emitted] = report.findings
  assert.equal(undeclared?.count, 1)
  assert.deepEqual(undeclared?.places, [
    { cpu: 0, first: 14, last: 14 },
    { cpu: 0, first: 16, last: 16 }
  ])
  assert.equal(
    undeclared?.text,
    'run run-1: 2 sequence numbers missing, 1 declared as dropped: 1 lost without a declaration, among cpu 0: 14, cpu 0: 16'
  )
  assert.deepEqual([emitted?.class, emitted?.count], ['io', 1])
})

test('a missing batch is reported with its sequence numbers and the batches before and after it', () => {
  const [first, , third] = run()
  const report = only(first, third)
  const hole = report.findings.find(({ kind }) => kind === 'hole')
  assert.equal(report.agrees, false)
  assert.deepEqual([hole?.count, hole?.places], [4, [{ cpu: 0, first: 14, last: 17 }]])
  assert.match(
    hole?.text ?? '',
    /^run run-1: no batch accounts for 4 sequence numbers \(cpu 0: 14…17\) before batch 3 \(after 1\)/
  )
})

test('a missing batch is between the batches that account for its CPU, whatever other batches are between them', () => {
  const [first, , third] = run()
  const other = batchOf({ run: 'run-1', batch: 3, sequences: [{ cpu: 1, first: 5, last: 5 }], events: [event(1, 5)] })
  const { findings } = only(first, other, { ...third, batch: 4 })
  const hole = findings.find(({ kind }) => kind === 'hole')
  assert.match(hole?.text ?? '', /\(cpu 0: 14…17\) before batch 4 \(after 1\): a batch is not in the topic/)
})

test('the header that replaces evicted batches of a full spool agrees', () => {
  const [first, second, third] = run()
  const drops = [{ class: 'io', reason: 'spool_full', count: 5 } as const]
  const report = only(
    { ...second, sequences: [{ cpu: 0, first: 11, last: 17 }], events: [], summaries: [], drops },
    third
  )
  // Read first, it may have a predecessor: its declared drops are not held against it.
  assert.equal(report.agrees, true, JSON.stringify(report.findings))
  assert.equal(report.partial, 1)
  const whole = only(first, { ...second, events: [], drops: [{ class: 'io', reason: 'spool_full', count: 2 }] }, third)
  assert.equal(whole.agrees, true, JSON.stringify(whole.findings))
})

test('more declared drops than missing sequence numbers are reported', () => {
  const [first, second, third] = run()
  const report = only(first, second, { ...third, drops: [{ class: 'io', reason: 'ring_full', count: 3 }] })
  assert.deepEqual(kindsOf(report), ['overdeclared', 'dropped'])
  assert.equal(report.findings[0]?.count, 2)
})

test('two batches that account for the same numbers are reported, and events that no batch accounts for', () => {
  const [first, second, third] = run()
  const report = only(first, { ...second, sequences: [{ cpu: 0, first: 12, last: 17 }] }, third)
  assert.deepEqual(kindsOf(report), ['overlap', 'unaccounted'])
  assert.deepEqual(report.findings[0]?.places, [{ cpu: 0, first: 12, last: 13 }])
  assert.deepEqual(report.findings[1]?.places, [{ cpu: -1, first: 1, last: 1 }])
})

test("the ledger's counts are compared with the topic's, by class", () => {
  assert.deepEqual(kindsOf(only(...run('r', { emitted: 10 }))), ['emitted'])
  assert.deepEqual(kindsOf(only(...run('r', { emitted: 8 }))), ['emitted'])
  assert.deepEqual(kindsOf(only(...run('r', { dropped: 2 }))), ['dropped'])
  assert.deepEqual(kindsOf(only(...run('r', { counted: 8 }))), ['counted'])
  assert.deepEqual(kindsOf(only(...run('r', { counted: 6 }))), ['counted'])
  const [first, second, third] = run()
  assert.equal(
    only(first, second, { ...third, ledger: ledger({ emitted: 9, dropped: 1, counted: 9 }, 2) }).agrees,
    true
  )
  // An event with the wrong call is in the wrong class.
  const report = only(first, { ...second, events: [event(0, 16, 'openat'), event(0, 17)] }, third)
  assert.deepEqual(
    report.findings.map(({ kind, class: name }) => [kind, name]),
    [
      ['emitted', 'file'],
      ['emitted', 'io']
    ]
  )
})

test('a run without a final batch is verified up to its last batch, and pending sequence numbers are counted', () => {
  const [first, second] = run()
  const report = only(first, second)
  assert.equal(report.agrees, true)
  assert.deepEqual(
    report.unfinished.map(({ run, batch, pending }) => ({ run, batch, pending })),
    [{ run: 'run-1', batch: 2, pending: 2 }]
  )
})

test('a run is cut off when it has no final batch and the next run does not take over from it', () => {
  const [first, second] = run()
  const report = only(first, second, ...run('run-2').map((batch) => ({ ...batch, ...shifted(batch, 100) })))
  assert.deepEqual(kindsOf(report), ['cut_off', 'undeclared'])
  assert.equal(report.findings[0]?.run, 'run-1')
  assert.equal(report.runs, 2)
})

test('a run of an earlier boot is cut off when a later boot publishes a minute after it', () => {
  const [first, second] = run()
  const later = run('run-2').map((batch) => ({ ...batch, boot: 'boot-2' }))
  const reconciliation = new Reconciliation()
  for (const batch of [first, second]) reconciliation.add(batch, 0)
  for (const [i, batch] of later.entries()) reconciliation.add(batch, 58_000 + 2000 * i)
  const reports = reconciliation.reports()
  assert.deepEqual(reports.map(kindsOf), [['cut_off', 'undeclared'], []])
})

test('a run is cut off when another edge of its boot publishes for a minute after it', () => {
  const [first, second] = run()
  const other = run('run-2').map((batch) => ({ ...batch, ...shifted(batch, 100) }))
  const verifiedUntil = (lastMs: number): HostReport => {
    const reconciliation = new Reconciliation()
    for (const [atMs, batch] of [
      [0, first],
      [1000, other[0]],
      [2000, second],
      [lastMs, other[1]]
    ] as const) {
      reconciliation.add(batch as EventBatch, atMs)
    }
    return reconciliation.reports()[0] as HostReport
  }
  assert.deepEqual(kindsOf(verifiedUntil(30_000)), [])
  const report = verifiedUntil(70_000)
  assert.deepEqual(kindsOf(report), ['cut_off', 'undeclared'])
  assert.equal(report.findings[0]?.run, 'run-1')
})

const shifted = ({ sequences, events, summaries }: EventBatch, by: number): Partial<EventBatch> => ({
  sequences: sequences.map(({ cpu, first, last }) => ({ cpu, first: first + by, last: last + by })),
  events: events.map((each) => ({ ...each, seq: each.seq + by })),
  summaries: summaries.map((each) => ({ ...each, seq: each.seq + by }))
})

test('a run that takes over publishes events a second time, and replaces the drops of the dead run', () => {
  const [first, second, third] = run()
  const dead = { ...second, drops: [{ class: 'io', reason: 'ring_full', count: 1 } as const] }
  const successor = [
    { ...second, run: 'run-2', batch: 1, continues: { run: 'run-1', batch: 1 } },
    { ...third, run: 'run-2', batch: 2 }
  ]
  const report = only(first, dead, ...successor)
  assert.equal(report.agrees, true, JSON.stringify(report.findings))
  assert.deepEqual([report.events, report.dropped, report.duplicates], [9, 1, 3])
  // A successor that dies before its first batch is durable: the next run begins at the same batch.
  const third2 = successor.map((batch) => ({ ...batch, run: 'run-3' }))
  const again = only(first, dead, successor[0] as EventBatch, ...third2)
  assert.equal(again.agrees, true, JSON.stringify(again.findings))
  assert.deepEqual([again.events, again.dropped, again.duplicates], [9, 1, 6])
})

test('events that a dead run published and its successor dropped count as published', () => {
  const [first, second, third] = run()
  const replaced = {
    ...second,
    run: 'run-2',
    batch: 1,
    continues: { run: 'run-1', batch: 1 },
    events: [],
    summaries: []
  }
  const successor = [
    { ...replaced, drops: [{ class: 'io', reason: 'spool_full', count: 2 } as const] },
    { ...third, run: 'run-2', batch: 2 }
  ]
  const report = only(first, second, ...successor)
  assert.equal(report.agrees, true, JSON.stringify(report.findings))
})

test('a ledger that a takeover reset is not compared with the events before it', () => {
  const [first, second, third] = run()
  const dead = { ...second, ledger: ledger({ emitted: 6, counted: 7 }) }
  const next = { ...third, run: 'run-2', batch: 1, continues: { run: 'run-1', batch: 2 } }
  const anew = { ...ledger({ emitted: 4, dropped: 1, counted: 0, off: 1 }), monotonic_us: 2 }
  const report = only(first, dead, { ...next, ledger: anew })
  assert.equal(report.agrees, true, JSON.stringify(report.findings))
  // A lost event is missing all the same.
  const lost = only(first, dead, { ...next, events: next.events.slice(1), ledger: anew })
  assert.deepEqual(kindsOf(lost), ['undeclared'])
  // A ledger that waited in the spool is older than the one before it: no reset.
  const kept = { ...ledger({ emitted: 8, dropped: 1, counted: 7 }), monotonic_us: 2 }
  const late = { ...second, ledger: { ...ledger({ emitted: 3 }), monotonic_us: 0 } }
  assert.deepEqual(kindsOf(only({ ...first, ledger: ledger({ emitted: 6 }) }, late, { ...third, ledger: kept })), [
    'emitted'
  ])
})

test('reading from the middle of a run compares sequence numbers, not the ledger', () => {
  const [, second, third] = run()
  const report = only(second, third)
  assert.equal(report.agrees, true, JSON.stringify(report.findings))
  assert.equal(report.partial, 1)
  assert.deepEqual(kindsOf(only({ ...second, events: [] }, third)), ['undeclared'])
})

test('a run that takes over from one without a durable batch is verified from its beginning', () => {
  const [first, second, third] = run()
  const report = only({ ...first, continues: { run: 'run-0', batch: 0 } }, second, third)
  assert.deepEqual([report.agrees, report.partial], [true, 0])
})

test('each host has its own report, and a message that is no batch disagrees', () => {
  const reconciliation = new Reconciliation()
  for (const batch of run()) reconciliation.add(batch, 0)
  for (const batch of run()) reconciliation.add({ ...batch, host: 'host-b' }, 0)
  reconciliation.addUnreadable('host-b', 'offset 7 of partition 0', 'not an EventBatch')
  const reports = reconciliation.reports()
  assert.deepEqual(
    reports.map(({ host, agrees }) => [host, agrees]),
    [
      ['host-a', true],
      ['host-b', true],
      ['host-b', null]
    ]
  )
  assert.match(reports.at(-1)?.findings[0]?.text ?? '', /^not judged, .*: offset 7 of partition 0: not an EventBatch$/)
})

test('unreadable messages of a host are one finding with their count', () => {
  const reconciliation = new Reconciliation()
  for (let offset = 1; offset <= 10; offset++) {
    reconciliation.addUnreadable('host-b', `offset ${offset} of partition 0`, 'not an EventBatch')
  }
  const [found] = reconciliation.reports()[0]?.findings ?? []
  assert.equal(found?.count, 10)
  assert.match(found?.text ?? '', /: offset 1 of .*; offset 8 of partition 0: not an EventBatch; and 2 more messages$/)
})
