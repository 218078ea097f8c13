// The class in which an event is accounted for, as the programs chose it: enum ringside_class of bpf/event.h,
// told again from what the event says, for a batch does not carry it.
import type { Event, EventClass } from './types.ts'

/** In the order of the enum. */
export const eventClasses: readonly EventClass[] = ['process', 'network', 'file', 'io']

/** By symbol of the Syscall enum; what is not named is io. */
const classOfSyscall: Readonly<Record<string, EventClass>> = {
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

/** Whose count of the ledger has this event. */
export const classOfEvent = ({ kind, syscall, socket }: Pick<Event, 'kind' | 'syscall' | 'socket'>): EventClass => {
  if (kind === 'exec' || kind === 'fork' || kind === 'exit') return 'process'
  // The close of what is no socket.
  if (syscall === 'close' && kind === 'syscall' && socket === -1) return 'io'
  return classOfSyscall[syscall] ?? 'io'
}
