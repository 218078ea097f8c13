// Encodes raw records as bpf/event.h lays them out.
import {
  cellBytes,
  cellField,
  commSize,
  eventClass,
  eventFlag,
  eventHeaderBytes,
  eventField as field,
  knownCall,
  recordKind,
  summaryCpu,
  summaryField,
  summaryHeaderBytes
} from '../../bpf/event.ts'

export interface RawSocket {
  family: number
  type: number
  protocol: number
  netns: number
  localAddress: Uint8Array
  localPort: number
  remoteAddress: Uint8Array
  remotePort: number
}

export interface RawEvent {
  kind: number
  class: number
  call: number
  seq: bigint
  timeNs: bigint
  durationNs: bigint
  ret: bigint
  startNs: bigint
  cgroupId: bigint
  cpu: number
  pid: number
  execId: number
  tid: number
  ppid: number
  uid: number
  euid: number
  /** fork: the creator's pid; of an outcome or of messages the call's cpu. */
  origin: number
  /** fork: the creator's start; of an outcome or of messages the call's seq. */
  originId: bigint
  fd: number
  nr: number
  isCompat: boolean
  advance: number
  arg: number
  target: number
  reference: number
  amount: bigint
  messages: number
  notEntered: boolean
  comm: string | Uint8Array
  extra: string | Uint8Array
  path: string | Uint8Array
  pathTruncated: boolean
  pathOpened: boolean
  pathDeleted: boolean
  addressGiven: boolean
  argumentChanged: boolean
  socket: RawSocket | undefined
  /** Addresses; empty for a record without a stack. */
  stack: readonly bigint[]
}

/** A read(2) of 100 bytes by pid 100, with the given fields changed. */
export const rawEvent = (given: Partial<RawEvent> = {}): RawEvent => ({
  kind: recordKind.syscall,
  class: eventClass.io,
  call: knownCall.read,
  seq: 1n,
  timeNs: 5_000_000_000n,
  durationNs: 1_500n,
  ret: 100n,
  startNs: 1_000_000_000n,
  cgroupId: 77n,
  cpu: 0,
  pid: 100,
  execId: 1,
  tid: 100,
  ppid: 1,
  uid: 1000,
  euid: 1000,
  origin: 0,
  originId: 0n,
  fd: 3,
  nr: 0,
  isCompat: false,
  advance: 0,
  arg: 0,
  target: -1,
  reference: -1,
  amount: 0n,
  messages: 0,
  notEntered: false,
  comm: 'cat',
  path: '',
  extra: '',
  pathTruncated: false,
  pathOpened: false,
  pathDeleted: false,
  addressGiven: false,
  argumentChanged: false,
  socket: undefined,
  stack: [],
  ...given
})

export interface RawSummary {
  count: bigint
  errors: bigint
  totalNs: bigint
  bytes: bigint
  limited: bigint
  uncounted: bigint
  /** Measure (enum ringside_measure), index, count. */
  cells: readonly (readonly [number, number, number])[]
}

/** The summary of a second's reads by pid 100, with the given fields changed. */
export const rawSummary = (given: Partial<RawEvent> = {}, summary: Partial<RawSummary> = {}): RawEvent => {
  const { count = 2n, errors = 1n, totalNs = 300n, bytes = 64n, limited = 0n, uncounted = 0n, cells = [] } = summary
  const path = Buffer.alloc(summaryHeaderBytes + cellBytes * cells.length)
  path.writeBigUInt64LE(count, summaryField.count)
  path.writeBigUInt64LE(errors, summaryField.errors)
  path.writeBigUInt64LE(totalNs, summaryField.totalNs)
  path.writeBigUInt64LE(bytes, summaryField.bytes)
  path.writeBigUInt64LE(limited, summaryField.limited)
  path.writeBigUInt64LE(uncounted, summaryField.uncounted)
  for (const [i, [measure, index, cellCount]] of cells.entries()) {
    const cell = summaryHeaderBytes + cellBytes * i
    path.writeUInt16LE(measure, cell + cellField.measure)
    path.writeUInt16LE(index, cell + cellField.index)
    path.writeUInt32LE(cellCount, cell + cellField.count)
  }
  return rawEvent({ kind: recordKind.summary, cpu: summaryCpu, durationNs: 1_000_000_000n, ret: 0n, path, ...given })
}

export const rawBytes = (event: RawEvent): Buffer => {
  const path = Buffer.from(event.path)
  const extra = Buffer.from(event.extra)
  const stackAt = Math.ceil((eventHeaderBytes + path.length + extra.length) / 8) * 8
  const record = Buffer.alloc(stackAt + 8 * event.stack.length)
  for (const [i, address] of event.stack.entries()) record.writeBigUInt64LE(address, stackAt + 8 * i)
  record.writeUInt32LE(record.length, field.size)
  record[field.kind] = event.kind
  record[field.eventClass] = event.class
  record[field.call] = event.call
  record[field.flags] =
    (event.socket === undefined ? 0 : eventFlag.hasSocket) |
    (event.pathTruncated ? eventFlag.pathTruncated : 0) |
    (event.isCompat ? eventFlag.isCompat : 0) |
    (event.pathOpened ? eventFlag.pathOpened : 0) |
    (event.pathDeleted ? eventFlag.pathDeleted : 0) |
    (event.addressGiven ? eventFlag.addressGiven : 0) |
    (event.argumentChanged ? eventFlag.argumentChanged : 0) |
    (event.stack.length > 0 ? eventFlag.hasStack : 0)
  record.writeBigUInt64LE(event.seq, field.seq)
  record.writeBigUInt64LE(event.timeNs, field.timeNs)
  record.writeBigUInt64LE(event.durationNs, field.durationNs)
  record.writeBigInt64LE(event.ret, field.ret)
  record.writeBigUInt64LE(event.startNs, field.startNs)
  record.writeBigUInt64LE(event.cgroupId, field.cgroupId)
  record.writeUInt16LE(event.cpu, field.cpu)
  record.writeUInt16LE(event.nr, field.nr)
  record.writeUInt32LE(event.pid, field.pid)
  record.writeUInt32LE(event.execId, field.execId)
  record.writeUInt32LE(event.tid, field.tid)
  record.writeUInt32LE(event.ppid, field.ppid)
  record.writeUInt32LE(event.uid, field.uid)
  record.writeUInt32LE(event.euid, field.euid)
  record.writeUInt32LE(event.origin, field.origin)
  record.writeBigUInt64LE(event.originId, field.originId)
  record.writeInt32LE(event.fd, field.fd)
  record.writeUInt16LE(path.length, field.pathSize)
  record.writeUInt16LE(extra.length, field.extraSize)
  record.writeUInt32LE(event.advance, field.advance)
  record.writeUInt32LE(event.arg, field.arg)
  record.writeInt32LE(event.target, field.target)
  record.writeInt32LE(event.reference, field.reference)
  record.writeBigUInt64LE(event.amount, field.amount)
  record.writeUInt16LE(event.messages, field.messages)
  record[field.notEntered] = event.notEntered ? 1 : 0
  Buffer.from(event.comm).copy(record, field.comm, 0, commSize)
  path.copy(record, field.path)
  extra.copy(record, field.path + path.length)
  const { socket } = event
  if (socket !== undefined) {
    record.writeUInt16LE(socket.family, field.socketFamily)
    record.writeUInt16LE(socket.type, field.socketType)
    record.writeUInt16LE(socket.protocol, field.socketProtocol)
    record.writeUInt32LE(socket.localPort, field.socketLocalPort)
    record.writeUInt32LE(socket.remotePort, field.socketRemotePort)
    record.writeUInt32LE(socket.netns, field.socketNetns)
    record.set(socket.localAddress, field.socketLocalAddress)
    record.set(socket.remoteAddress, field.socketRemoteAddress)
  }
  return record
}

/** The records one after the other, in memory aligned to 8 bytes. */
export const rawBuffer = (events: readonly RawEvent[]): Uint8Array =>
  new Uint8Array(Buffer.concat(events.map(rawBytes)))
