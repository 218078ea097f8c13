// The class of an event, as the BPF programs assign it: a batch does not carry it.
import type { Event, EventClass } from './types.ts'

/** In the order of enum ringside_class in bpf/event.h. */
export const eventClasses: readonly EventClass[] = ['process', 'network', 'file', 'io']

/** Every symbol of the Syscall enum of schemas/event_batch.avsc but none, as class_of_call in bpf/calls.h has it. */
export const syscallClasses = {
  execve: 'process',
  execveat: 'process',
  ptrace: 'process',
  socket: 'network',
  connect: 'network',
  accept: 'network',
  accept4: 'network',
  bind: 'network',
  listen: 'network',
  sendto: 'network',
  sendmsg: 'network',
  sendmmsg: 'network',
  dup2: 'network',
  dup3: 'network',
  close: 'network',
  open: 'file',
  openat: 'file',
  openat2: 'file',
  unlink: 'file',
  unlinkat: 'file',
  rename: 'file',
  renameat: 'file',
  renameat2: 'file',
  read: 'io',
  write: 'io',
  recvfrom: 'io',
  recvmsg: 'io',
  recvmmsg: 'io',
  other: 'io'
} as const satisfies Readonly<Record<string, EventClass>>

/** Kinds of events that are not calls. */
export const kindClasses = {
  exec: 'process',
  fork: 'process',
  exit: 'process',
  socket_state: 'network'
} as const satisfies Readonly<Record<string, EventClass>>

const classBySyscall: ReadonlyMap<string, EventClass> = new Map(Object.entries(syscallClasses))
const classByKind: ReadonlyMap<string, EventClass> = new Map(Object.entries(kindClasses))

/**
 * @param syscall a symbol of the Syscall enum of schemas/event_batch.avsc
 * @returns io for a symbol of a newer edge
 */
export const classOfSyscall = (syscall: string): EventClass => classBySyscall.get(syscall) ?? 'io'

/** The class whose ledger count includes the event. */
export const classOfEvent = ({ kind, syscall }: Pick<Event, 'kind' | 'syscall'>): EventClass =>
  classByKind.get(kind) ?? classOfSyscall(syscall)
