// Batches for tests of handlers: whole records from the few fields that a test sets.
import pino from 'pino'
import type { Context, Output, StatefulHandler } from '../../../consumer/handler.ts'
import { eventInput } from '../../../consumer/loop/input.ts'
import type { ColumnBatch } from '../../../wire/columns.ts'
import { columnsOf } from '../../../wire/columns-of.ts'
import type { Event, EventBatch, Process, Socket, Summary } from '../../../wire/types.ts'

export const processOf = (fields: Partial<Process> = {}): Process => ({
  pid: 100,
  start_us: 5_000_000,
  ppid: 1,
  uid: 1000,
  comm: 'client',
  exe: '/usr/bin/client',
  container_id: null,
  cgroup_id: 1,
  euid: 1000,
  creator_pid: -1,
  creator_start_us: -1,
  ...fields
})

/** An IPv4 TCP socket; addresses as text. */
export const socketOf = (
  fields: Partial<Omit<Socket, 'local_address' | 'remote_address'>> & {
    local_address?: string
    remote_address?: string
  }
): Socket => ({
  family: 2,
  type: 1,
  protocol: 6,
  netns: 4026531840,
  local_port: 0,
  remote_port: 0,
  ...fields,
  local_address: bytesOf(fields.local_address ?? '0.0.0.0'),
  remote_address: bytesOf(fields.remote_address ?? '0.0.0.0')
})

const bytesOf = (ipv4: string): Buffer => Buffer.from(ipv4.split('.').map(Number))

let nextSeq = 1

export const eventOf = (fields: Partial<Event> = {}): Event => ({
  kind: 'syscall',
  syscall: 'read',
  process: 0,
  socket: -1,
  cpu: 0,
  seq: nextSeq++,
  time_offset_ns: -1000,
  duration_ns: 1000,
  tid: 100,
  ret: 0,
  fd: 3,
  path: null,
  path_truncated: false,
  call: null,
  path_to: null,
  arg: -1,
  target_pid: -1,
  stack: -1,
  path_opened: false,
  path_given: null,
  address_given: false,
  argument_changed: false,
  call_cpu: -1,
  call_seq: -1,
  path_deleted: false,
  entered: true,
  bytes: -1,
  messages: -1,
  target_given: -1,
  resolve: -1,
  registered_file: -1,
  ...fields
})

/** Four reads in the second before the batch's clock. */
export const summaryOf = (fields: Partial<Summary> = {}): Summary => ({
  process: 0,
  syscall: 'read',
  call: null,
  class: 'io',
  seq: nextSeq++,
  time_offset_ns: 0,
  duration_ns: 1_000_000_000,
  count: 4,
  errors: 1,
  total_ns: 9_000,
  bytes: 12_288,
  latency: [
    { index: 320, count: 3 },
    { index: 370, count: 1 }
  ],
  sizes: [{ index: 384, count: 3 }],
  errnos: [{ index: 11, count: 1 }],
  limited: 0,
  uncounted: 0,
  ...fields
})

export const batchOf = (fields: Partial<EventBatch> = {}): EventBatch => ({
  host: 'host-a',
  boot: 'boot-1',
  agent: '0.1.0',
  run: 'run-1',
  batch: 1,
  continues: null,
  final: false,
  clock: { monotonic_us: 1_000_000_000, wall_us: 1_767_225_600_000_000 },
  counted_until_us: -1,
  sequences: [],
  drops: [],
  processes: [processOf()],
  sockets: [],
  stacks: [],
  events: [],
  summaries: [],
  ledger: null,
  ...fields
})

/** @param timestampMs as long after the epoch as the offset, by default: a second for each message */
export const contextOf = (offset: bigint, timestampMs = Number(offset) * 1000): Context => ({
  topic: 'ringside.events',
  partition: 0,
  offset,
  timestampMs,
  log: pino({ level: 'silent' })
})

/** Batches without duplicate rows; batches that are duplicates are left out. */
export const withoutDuplicates = (batches: readonly EventBatch[], input = eventInput()): EventBatch[] =>
  batches.flatMap((batch) => {
    const unseen = input.unseenOf(batch)
    if (unseen !== undefined) input.add(unseen)
    return unseen ?? []
  })

/** Passes batches to a handler as the consume loop does: without duplicates. */
export const hosted = <Handler extends Pick<StatefulHandler, 'handle'>>(
  handler: Handler
): ((batch: EventBatch, offset: number) => Output[]) => {
  const input = eventInput()
  return (batch, offset) =>
    withoutDuplicates([batch], input).flatMap((unseen) => [
      ...(handler.handle(unseen, contextOf(BigInt(offset))) as Iterable<Output>)
    ])
}

/** Adapts a handler of columns to batches. */
export const ofColumns = (handler: StatefulHandler<ColumnBatch>): Pick<StatefulHandler, 'handle'> => ({
  handle: (batch, context) => handler.handle(columnsOf(batch), context)
})
