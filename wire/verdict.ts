// The one table of what a result means: failed, expected or interrupted, by call and errno. Rows, rollups, metrics, rules
// and the panel use it. docs/verdicts.md is its page; a test compares both.
import { errnoNumber, findErrno } from './errno.ts'
import type { Event } from './types.ts'

/**
 * ok: the call did what was asked. expected: an error that a healthy program meets in normal work and handles (would
 * block, in progress, timed out by design, nothing there). interrupted: a signal or the caller ended it. failed: any
 * other error. unknown: the result cannot be known, as of a request to io_uring.
 */
export type Verdict = 'ok' | 'failed' | 'expected' | 'interrupted' | 'unknown'

export interface VerdictRule {
  /** Names of calls; empty: every call. */
  readonly calls: readonly string[]
  readonly errnos: readonly string[]
  readonly verdict: 'expected' | 'interrupted'
  /** For docs/verdicts.md. */
  readonly reason: string
}

const reads = [
  'read',
  'readv',
  'pread64',
  'preadv',
  'preadv2',
  'recv',
  'recvfrom',
  'recvmsg',
  'recvmmsg',
  'recvmmsg_time64'
]
const writes = ['write', 'writev', 'pwrite64', 'pwritev', 'pwritev2', 'send', 'sendto', 'sendmsg', 'sendmmsg']
const moves = ['sendfile', 'sendfile64', 'splice', 'tee', 'vmsplice', 'copy_file_range']
const lookups = [
  ...['open', 'openat', 'openat2', 'creat', 'access', 'faccessat', 'faccessat2', 'readlink', 'readlinkat'],
  ...['stat', 'lstat', 'fstatat64', 'newfstatat', 'stat64', 'lstat64', 'statx', 'statfs', 'statfs64', 'chdir'],
  ...['execve', 'execveat', 'name_to_handle_at']
]
const futexes = ['futex', 'futex_time64', 'futex_wait', 'futex_waitv']
const queues = ['mq_timedsend', 'mq_timedreceive', 'mq_timedsend_time64', 'mq_timedreceive_time64']

export const verdictRules: readonly VerdictRule[] = [
  {
    calls: [],
    errnos: ['EINTR', 'ERESTARTSYS', 'ERESTARTNOINTR', 'ERESTARTNOHAND', 'ERESTART_RESTARTBLOCK'],
    verdict: 'interrupted',
    reason: 'a signal arrived first; the kernel or the program calls again'
  },
  {
    calls: ['connect'],
    errnos: ['EINPROGRESS', 'EALREADY', 'EISCONN'],
    verdict: 'expected',
    reason: 'a non-blocking connect is under way or done; its connect_outcome has the result'
  },
  {
    calls: ['sendto', 'sendmsg'],
    errnos: ['EINPROGRESS'],
    verdict: 'expected',
    reason: 'a connect by TCP fast open is under way; its connect_outcome has the result'
  },
  {
    calls: ['connect'],
    errnos: ['ECANCELED'],
    verdict: 'interrupted',
    reason: 'the program closed the socket first; the edge reports it as the result of the connect_outcome'
  },
  {
    calls: [
      ...reads,
      ...writes,
      ...moves,
      'accept',
      'accept4',
      'flock',
      'fcntl',
      'fcntl64',
      'getrandom',
      'msgrcv',
      'msgsnd'
    ],
    errnos: ['EAGAIN'],
    verdict: 'expected',
    reason: 'would block: the descriptor, lock or queue is not ready'
  },
  {
    calls: [...futexes, ...queues, 'semop', 'semtimedop', 'semtimedop_time64'],
    errnos: ['EAGAIN', 'ETIMEDOUT'],
    verdict: 'expected',
    reason: 'the value has changed already, or the wait reached its time limit'
  },
  {
    calls: ['rt_sigtimedwait', 'rt_sigtimedwait_time64'],
    errnos: ['EAGAIN'],
    verdict: 'expected',
    reason: 'the wait reached its time limit'
  },
  {
    calls: ['io_uring_enter'],
    errnos: ['ETIME', 'EAGAIN'],
    verdict: 'expected',
    reason: 'the wait reached its time limit, or the ring is full'
  },
  {
    calls: ['wait4', 'waitid', 'waitpid'],
    errnos: ['ECHILD'],
    verdict: 'expected',
    reason: 'nothing there: no child is left'
  },
  {
    calls: lookups,
    errnos: ['ENOENT', 'ENOTDIR'],
    verdict: 'expected',
    reason: 'nothing there: a search along a path, or a check whether a file exists'
  },
  {
    calls: ['unlink', 'unlinkat', 'rmdir'],
    errnos: ['ENOENT'],
    verdict: 'expected',
    reason: 'nothing there: a clean-up of a file that may not exist'
  },
  {
    calls: ['mkdir', 'mkdirat'],
    errnos: ['EEXIST'],
    verdict: 'expected',
    reason: 'the folder exists already'
  },
  {
    calls: ['readlink', 'readlinkat'],
    errnos: ['EINVAL'],
    verdict: 'expected',
    reason: 'the file is no symbolic link: path resolution in user space asks for each component'
  },
  {
    calls: ['getxattr', 'lgetxattr', 'fgetxattr', 'listxattr', 'llistxattr', 'flistxattr'],
    errnos: ['ENODATA', 'EOPNOTSUPP'],
    verdict: 'expected',
    reason: 'nothing there: the file has no such attribute'
  },
  {
    calls: ['ioctl'],
    errnos: ['ENOTTY'],
    verdict: 'expected',
    reason: 'isatty(3) on a descriptor that is no terminal'
  },
  {
    calls: ['lseek', '_llseek'],
    errnos: ['ESPIPE'],
    verdict: 'expected',
    reason: 'a check whether a descriptor can seek'
  },
  {
    calls: ['epoll_ctl'],
    errnos: ['EEXIST', 'ENOENT'],
    verdict: 'expected',
    reason: 'event loops add or change a descriptor without keeping track of it'
  },
  {
    calls: ['getpeername', 'shutdown'],
    errnos: ['ENOTCONN'],
    verdict: 'expected',
    reason: 'the other end has closed the connection, or a check whether a socket is connected'
  },
  {
    calls: ['kill', 'tkill', 'tgkill'],
    errnos: ['ESRCH'],
    verdict: 'expected',
    reason: 'nothing there: a check whether a process is alive'
  }
]

/** Verdicts of an error, as their indexes in a VerdictTable. */
export const errorVerdicts = ['failed', 'expected', 'interrupted'] as const
export type ErrorVerdict = (typeof errorVerdicts)[number]

/** MAX_ERRNO, linux/err.h: a result below −4095 is a value, as an address of mmap. */
export const maxErrno = 4095

/** By error number: index into errorVerdicts. */
export type VerdictTable = Uint8Array

const ofEveryCall = new Uint8Array(maxErrno + 1)
const byCall = new Map<string, VerdictTable>()
const isOfEveryCall = ({ calls }: VerdictRule): boolean => calls.length === 0

const enter = (table: VerdictTable, { errnos, verdict }: VerdictRule): void => {
  for (const errno of errnos) table[errnoNumber(errno)] = errorVerdicts.indexOf(verdict)
}
for (const rule of verdictRules.filter(isOfEveryCall)) enter(ofEveryCall, rule)
for (const rule of verdictRules) {
  for (const call of rule.calls) {
    const table = byCall.get(call) ?? ofEveryCall.slice()
    enter(table, rule)
    byCall.set(call, table)
  }
}

const requestPrefix = 'io_uring_'

/** The table of a call, for a request to io_uring that of the same call; calls without a rule of their own share one. For
 * loops over many events: fetch it once. */
export const verdictTableOf = (call: string): VerdictTable =>
  byCall.get(call.startsWith(requestPrefix) ? call.slice(requestPrefix.length) : call) ?? ofEveryCall

/**
 * @param call the name of a system call
 * @param errno its error number, above 0
 */
export const verdictOfErrno = (call: string, errno: number): ErrorVerdict =>
  errorVerdicts[verdictTableOf(call)[errno] ?? 0] ?? 'failed'

/** @param errno a result of errnoName() */
export const verdictOfErrnoName = (call: string, errno: string): ErrorVerdict =>
  verdictOfErrno(call, findErrno(errno) ?? maxErrno)

/** @param ret as the kernel returned it: negative is −errno */
export const verdictOf = (call: string, ret: number): Verdict =>
  ret >= 0 || ret < -maxErrno ? 'ok' : verdictOfErrno(call, -ret)

/** The outcome of a connect is judged as the connect itself; an error of a call that was not entered is no normal work. */
export const verdictOfEvent = ({
  kind,
  syscall,
  call,
  ret,
  entered
}: Pick<Event, 'kind' | 'syscall' | 'call' | 'ret' | 'entered'>): Verdict => {
  if (!entered) return ret < 0 ? 'failed' : 'ok'
  if (kind === 'syscall' || kind === 'io_uring_outcome') return verdictOf(call ?? syscall, ret)
  if (kind === 'connect_outcome') return verdictOf('connect', ret)
  return kind === 'io_uring' || kind === 'other' ? 'unknown' : 'ok'
}
