import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventField, RawEvents } from '../../producer/raw-event.ts'
import { walkRecords } from '../../producer/walk.ts'
import { type RawEvent, rawBuffer, rawEvent } from '../support/raw-events.ts'

const visited = (bytes: Uint8Array, length = bytes.length): number[] => {
  const records: number[] = []
  walkRecords(new RawEvents(bytes), length, (record) => records.push(record))
  return records
}

test('every record is visited, whatever its length', () => {
  const bytes = rawBuffer([rawEvent(), rawEvent({ path: '/x' }), rawEvent({ path: 'y'.repeat(4096) }), rawEvent()])
  assert.deepEqual(visited(bytes), [0, 160, 328, 4584])
  assert.deepEqual(visited(bytes, 0), [])
})

test('the records of both rings are merged by time, and each ring keeps its order', () => {
  const security = [10n, 30n, 20n].map((timeNs) => rawEvent({ class: 1, timeNs }))
  const others = [5n, 15n, 40n].map((timeNs) => rawEvent({ class: 3, timeNs }))
  const times = (events: RawEvent[]): number[] => {
    const raw = new RawEvents(rawBuffer(events))
    return visited(raw.bytes).map((record) => raw.u64(record + eventField.timeNs))
  }
  assert.deepEqual(times([...security, ...others]), [5, 10, 15, 30, 20, 40])
  assert.deepEqual(times(security), [10, 30, 20])
  assert.deepEqual(times(others), [5, 15, 40])
})

test('bytes that are no records are refused', () => {
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
    changed((view) => view.setUint8(eventField.class, 4)),
    changed((view) => view.setUint16(eventField.cpu, 1025, true))
  ]
  for (const each of wrong) assert.throws(() => visited(each), { code: 'DATA' })
})
