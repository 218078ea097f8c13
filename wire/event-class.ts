// The class in which an event is accounted for, as the programs chose it: enum ringside_class of bpf/event.h,
// told again from what the event says, for a batch does not carry it.
import type { Event, EventClass } from './types.ts'

/** In the order of the enum. */
export const eventClasses: readonly EventClass[] = ['process', 'network', 'file', 'io']

/** By symbol of the Syscall enum, as class_of_call of bpf/calls.h has it; what is not named is io. */
const classes: Readonly<Record<string, EventClass>> = {
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
  renameat2: 'file'
}

/** @param syscall a symbol of the Syscall enum of schemas/event_batch.avsc */
export const classOfSyscall = (syscall: string): EventClass => classes[syscall] ?? 'io'

/** Whose count of the ledger has this event. */
export const classOfEvent = ({ kind, syscall }: Pick<Event, 'kind' | 'syscall'>): EventClass =>
  kind === 'exec' || kind === 'fork' || kind === 'exit' ? 'process' : classOfSyscall(syscall)
