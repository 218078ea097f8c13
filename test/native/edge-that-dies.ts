// Reads a pinned ring and releases a part, until it is killed. Appends a line of JSON per read to the file argv[3], before
// it releases any of it: the mark after the read, and its records. argv[2]: options of Ring.open as JSON, tables as arrays.
import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventField as field, type Lane, lanes, recordKind } from '../../bpf/event.ts'
import { Ring } from '../../native/ring/ring.ts'
import type { RingAccount, RingMark } from '../../native/ring/ring-account.ts'
import type { RingOptions } from '../../native/ring/ring-options.ts'
import { RawEvents } from '../../producer/source/raw-events.ts'

export interface ReadRecord {
  readonly cpu: number
  readonly seq: number
  readonly kind: number
  readonly nr: number
  readonly pid: number
  /** Of a summary: its number of calls; else 1. */
  readonly calls: number
}

export interface ReadBatch {
  readonly mark: RingMark
  readonly records: readonly ReadRecord[]
}

/** Reads once, and returns the records with the mark after them. */
export const readBatch = (ring: Ring, into: Uint8Array, from: RingMark): ReadBatch => {
  const bytes = ring.read(into)
  const view = new DataView(into.buffer)
  const records: ReadRecord[] = []
  const raw = new RawEvents(into)
  const mark = { ...from }
  for (let at = 0; at < bytes; at += view.getUint32(at, true)) {
    const kind = view.getUint8(at + field.kind)
    const advance = view.getUint32(at + field.advance, true)
    mark[lanes[raw.lane(at)] as Lane] += advance
    records.push({
      cpu: view.getUint16(at + field.cpu, true),
      seq: Number(view.getBigUint64(at + field.seq, true)),
      kind,
      nr: view.getUint16(at + field.nr, true),
      pid: view.getUint32(at + field.pid, true),
      calls: kind === recordKind.summary ? Number(view.getBigUint64(at + field.path, true)) : 1
    })
  }
  return { mark, records }
}

/** Parses the result of optionsToText. */
export const optionsFrom = (text: string): RingOptions => {
  const options = JSON.parse(text) as RingOptions
  return { ...options, callOf: Uint8Array.from(options.callOf), modeOf: Uint8Array.from(options.modeOf) }
}

export const optionsToText = (options: RingOptions): string =>
  JSON.stringify({ ...options, callOf: [...options.callOf], modeOf: [...options.modeOf] })

if (import.meta.main) {
  const [optionsText = '', path = ''] = process.argv.slice(2)
  const ring = await Ring.open(optionsFrom(optionsText))
  appendFileSync(path, `${JSON.stringify({ mark: ring.begin, records: [], notes: ring.notes })}\n`)
  const into = new Uint8Array(1 << 20)
  let mark = ring.begin
  let events = ring.previous?.events[3] ?? 0
  for (let batch = 1; ; batch++) {
    const read = readBatch(ring, into, mark)
    mark = read.mark
    events += read.records.length
    appendFileSync(path, `${JSON.stringify(read)}\n`)
    const account: RingAccount = {
      run: `run-${process.pid}`,
      batch,
      closed: [{ cpu: 0, seq: batch }],
      declared: [0, 0, 0, 0],
      events: [0, 0, 0, events]
    }
    if (batch % 3 > 0) ring.release(mark, account)
    // A successor reads the unreleased records again.
    if (batch % 5 === 0) void ring.summarize()
    await sleep(batch % 2)
  }
}
