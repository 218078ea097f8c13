// The known calls that io_uring operations are handled as: the system call that does the same.
import type { KnownCall } from '../../bpf/event.ts'
import type { uringOperations } from './uring-operations.ts'

/** Operations without an entry are `other`. */
export const callOfUringOperation: Readonly<Partial<Record<(typeof uringOperations)[number], KnownCall>>> = {
  read_fixed: 'read',
  write_fixed: 'write',
  sendmsg: 'sendmsg',
  recvmsg: 'recvmsg',
  accept: 'accept4',
  connect: 'connect',
  openat: 'openat',
  close: 'close',
  read: 'read',
  write: 'write',
  send: 'sendto',
  recv: 'recvfrom',
  openat2: 'openat2',
  renameat: 'renameat2',
  unlinkat: 'unlinkat',
  socket: 'socket',
  send_zc: 'sendto',
  sendmsg_zc: 'sendmsg',
  read_multishot: 'read',
  bind: 'bind',
  listen: 'listen',
  recv_zc: 'recvfrom'
}
