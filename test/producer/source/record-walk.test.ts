import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventField, eventHeaderBytes, recordKind, summaryHeaderBytes } from '../../../bpf/event.ts'
import { RawEvents } from '../../../producer/source/raw-events.ts'
import { RecordWalk } from '../../../producer/source/record-walk.ts'
import { type RawEvent, rawBuffer, rawEvent, rawSummary } from '../../support/raw-events.ts'

const visited = (bytes: Uint8Array, length = bytes.length): number[] => {
  const walk = new RecordWalk(new RawEvents(bytes))
  walk.begin(length)
  const records: number[] = []
  for (let record = walk.next(); record >= 0; record = walk.next()) records.push(record)
  return records
}

/** Bytes of a record without strings. */
const head = eventHeaderBytes

test('every record is visited, whatever its length', () => {
  const bytes = rawBuffer([rawEvent(), rawEvent({ path: '/x' }), rawEvent({ path: 'y'.repeat(4096) }), rawEvent()])
  assert.deepEqual(visited(bytes), [0, head, 2 * head + 8, 3 * head + 8 + 4096])
  assert.deepEqual(visited(bytes, 0), [])
})

test('the records of the rings are merged by time, and each ring keeps its order', () => {
  const processes = [12n, 35n].map((timeNs) => rawEvent({ kind: recordKind.exec, class: 0, timeNs }))
  const security = [10n, 30n, 20n].map((timeNs) => rawEvent({ class: 1, timeNs }))
  const others = [5n, 15n, 40n].map((timeNs) => rawEvent({ class: 3, timeNs }))
  const times = (events: RawEvent[]): number[] => {
    const raw = new RawEvents(rawBuffer(events))
    return visited(raw.bytes).map((record) => raw.u64(record + eventField.timeNs))
  }
  assert.deepEqual(times([...security, ...others]), [5, 10, 15, 30, 20, 40])
  assert.deepEqual(times([...processes, ...security, ...others]), [5, 10, 12, 15, 30, 20, 35, 40])
  assert.deepEqual(times([...processes, ...others]), [5, 12, 15, 35, 40])
  assert.deepEqual(times(security), [10, 30, 20])
  assert.deepEqual(times(others), [5, 15, 40])
})

test('summaries come last, whatever their class and time', () => {
  const records = [rawEvent({ class: 1, timeNs: 30n }), rawEvent({ timeNs: 20n })]
  const summaries = [rawSummary({ class: 1, timeNs: 10n }), rawSummary({ class: 3, timeNs: 5n })]
  assert.deepEqual(visited(rawBuffer([...records, ...summaries])), [head, 0, 2 * head, 3 * head + summaryHeaderBytes])
  assert.deepEqual(visited(rawBuffer(summaries)), [0, head + summaryHeaderBytes])
})

test('times one nanosecond apart keep their order after years of uptime', () => {
  const timeNs = 2n ** 57n
  const bytes = rawBuffer([rawEvent({ class: 1, timeNs: timeNs + 1n }), rawEvent({ timeNs })])
  assert.deepEqual(visited(bytes), [head, 0])
})

test('a read begins at the oldest of the first events of the rings', () => {
  const begin = (events: RawEvent[]): number => {
    const bytes = rawBuffer(events)
    return new RecordWalk(new RawEvents(bytes)).begin(bytes.length)
  }
  const security = rawEvent({ class: 0, timeNs: 7_000n })
  const other = rawEvent({ timeNs: 5_000n })
  assert.equal(begin([security, other, rawSummary({ timeNs: 1_000n })]), 5)
  assert.equal(begin([security, rawSummary({ timeNs: 1_000n })]), 7)
  assert.equal(begin([rawEvent({ kind: recordKind.exit, class: 0, timeNs: 3_000n }), security, other]), 3)
  assert.equal(begin([rawSummary({ timeNs: 1_000n })]), 0)
  assert.equal(begin([]), 0)
})

test('a read with an invalid record is refused before any record is visited', () => {
  const bytes = rawBuffer([rawEvent({ path: '/x' })])
  const changed = (change: (view: DataView) => void): Uint8Array => {
    const copy = bytes.slice()
    change(new DataView(copy.buffer))
    return copy
  }
  const wrong: Uint8Array[] = [
    bytes.slice(0, 80),
    changed((view) => view.setUint32(eventField.size, 0, true)),
    changed((view) => view.setUint32(eventField.size, 164, true)),
    changed((view) => view.setUint32(eventField.size, 176, true)),
    changed((view) => view.setUint16(eventField.pathSize, 9, true)),
    changed((view) => view.setUint8(eventField.eventClass, 4)),
    changed((view) => view.setUint16(eventField.nr, 1024, true)),
    changed((view) => view.setUint16(eventField.cpu, 1025, true)),
    changed((view) => view.setUint16(eventField.cpu, 1024, true)),
    rawBuffer([rawSummary({ cpu: 0 })]),
    rawBuffer([rawSummary({ path: Buffer.alloc(24) })]),
    rawBuffer([rawSummary({ path: Buffer.alloc(36) })]),
    rawBuffer([rawEvent(), rawSummary({ cpu: 0 })])
  ]
  for (const each of wrong) assert.throws(() => visited(each), { code: 'DATA' })
})
