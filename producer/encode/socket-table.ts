// Rows of a batch's socket table, one for each distinct pair of addresses.
import { LRUCache } from 'lru-cache'
import { eventField as field } from '../../bpf/event.ts'
import type { Socket } from '../../wire/types.ts'
import type { RawEvents } from '../source/raw-events.ts'

/** About 500 bytes each: at most 8 MB. Evicted rows are made again. */
const maxSockets = 16_384

/** Length of struct ringside_socket in 32-bit words. */
const socketWords = 14

interface Entry {
  readonly words: readonly number[]
  readonly socket: Socket
  batch: number
  index: number
}

const afInet = 2
const afInet6 = 10
const afVsock = 40
const addressBytes = (family: number): number =>
  family === afInet || family === afVsock ? 4 : family === afInet6 ? 16 : 0

const hashOf = (raw: RawEvents, at: number): number => {
  let hash = 0
  for (let i = 0; i < socketWords; i++) {
    hash = Math.imul(hash ^ raw.u32(at + 4 * i), 0x9e3779b1)
    hash ^= hash >>> 15
  }
  return hash
}

const matches = (entry: Entry, raw: RawEvents, at: number): boolean => {
  for (let i = 0; i < socketWords; i++) if (entry.words[i] !== raw.u32(at + 4 * i)) return false
  return true
}

export class SocketTable {
  readonly #entries = new LRUCache<number, Entry>({ max: maxSockets })

  get size(): number {
    return this.#entries.size
  }

  /**
   * Returns the index of an event's socket in `rows`, and adds a row unless the batch has it.
   * @param record offset of an event with a socket in raw
   * @param batch number of the open batch
   * @param rows the socket table of the open batch
   */
  indexOf(raw: RawEvents, record: number, batch: number, rows: Socket[]): number {
    const at = record + field.socketFamily
    const hash = hashOf(raw, at)
    let entry = this.#entries.get(hash)
    // Two sockets with the same hash evict each other: a batch may then have a row twice, which costs only bytes.
    if (entry === undefined || !matches(entry, raw, at)) {
      entry = newEntry(raw, record)
      this.#entries.set(hash, entry)
    }
    if (entry.batch !== batch) {
      entry.batch = batch
      entry.index = rows.push(entry.socket) - 1
    }
    return entry.index
  }
}

const newEntry = (raw: RawEvents, record: number): Entry => {
  const family = raw.u16(record + field.socketFamily)
  const address = (at: number): Buffer => Buffer.from(raw.bytes.subarray(at, at + addressBytes(family)))
  return {
    words: Array.from({ length: socketWords }, (_, i) => raw.u32(record + field.socketFamily + 4 * i)),
    socket: {
      family,
      type: raw.u16(record + field.socketType),
      protocol: raw.u16(record + field.socketProtocol),
      netns: raw.u32(record + field.socketNetns),
      local_address: address(record + field.socketLocalAddress),
      local_port: raw.u32(record + field.socketLocalPort),
      remote_address: address(record + field.socketRemoteAddress),
      remote_port: raw.u32(record + field.socketRemotePort)
    },
    batch: 0,
    index: 0
  }
}
