// The one table of what the audit log holds: every event of the classes process and network (bpf/event.h).
import type { Event } from '../../wire/types.ts'

/** Calls by name, with the reason that they are in the log or are left out of it. */
export const calls: Readonly<Record<string, { readonly audited: boolean; readonly reason: string }>> = {
  execve: { audited: true, reason: 'a program was to be run; a failure tells what was tried' },
  execveat: { audited: true, reason: 'a program was to be run, perhaps one without a name' },
  connect: { audited: true, reason: 'who speaks to whom; EINPROGRESS has its outcome in a socket_state row' },
  accept: { audited: true, reason: 'who was spoken to by whom' },
  accept4: { audited: true, reason: 'who was spoken to by whom' },
  bind: { audited: true, reason: 'an address was claimed' },
  listen: { audited: true, reason: 'a port was opened' },
  sendto: { audited: true, reason: 'data left, perhaps without a connection' },
  sendmsg: { audited: true, reason: 'data left, or a descriptor was handed over' },
  dup2: { audited: true, reason: 'a socket on descriptors 0 to 2 is how a reverse shell begins' },
  dup3: { audited: true, reason: 'as dup2' },
  close: { audited: true, reason: 'the end of a flow: the edge emits it for sockets only' },
  sendmmsg: { audited: true, reason: 'as sendmsg, several at once' },
  socket: { audited: true, reason: 'a raw or packet socket is how a network is listened to' },
  ptrace: { audited: true, reason: 'one process reads or steers another' },
  open: { audited: false, reason: 'class file: hundreds for each start of a program; rollups count them' },
  openat: { audited: false, reason: 'class file: as open' },
  openat2: { audited: false, reason: 'class file: as open' },
  unlink: { audited: false, reason: 'class file: temporary files come and go by the thousand; they are events' },
  unlinkat: { audited: false, reason: 'class file: as unlink' },
  rename: { audited: false, reason: 'class file: as unlink' },
  renameat: { audited: false, reason: 'class file: as unlink' },
  renameat2: { audited: false, reason: 'class file: as unlink' },
  read: { audited: false, reason: 'class io: most of all events; rollups count them and their bytes' },
  write: { audited: false, reason: 'class io: as read' },
  recvfrom: { audited: false, reason: 'class io: as read' },
  recvmsg: { audited: false, reason: 'class io: as read' },
  recvmmsg: { audited: false, reason: 'class io: as read' },
  other: { audited: false, reason: 'class io: switched on by name, for whoever asked for it' }
}

const leftOut = new Set(Object.keys(calls).filter((name) => calls[name]?.audited === false))
const eagain = -11

/**
 * Whether an event belongs in the audit log; what io_uring was asked for does when the call that does the same does.
 * Kinds and calls that a newer edge may send do: what is not known to be harmless is kept. EAGAIN of accept is no
 * accept but a poll that found nobody waiting.
 */
export const isAudited = ({ kind, syscall, ret }: Pick<Event, 'kind' | 'syscall' | 'ret'>): boolean => {
  if (kind !== 'syscall' && kind !== 'io_uring') return true
  if (ret === eagain && (syscall === 'accept' || syscall === 'accept4')) return false
  return !leftOut.has(syscall)
}
