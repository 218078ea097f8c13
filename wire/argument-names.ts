// Names of the numbers in a call's `arg`: flags, and the request of ptrace. Values of include/uapi (asm-generic/fcntl.h,
// linux/fcntl.h, linux/mount.h, linux/memfd.h, linux/ptrace.h, and x86's asm/ptrace-abi.h); a test compares them with the
// headers.

/** Bits by name; several bits with one name precede their parts. */
type Flags = Readonly<Record<string, number>>

export const openFlags: Flags = {
  O_WRONLY: 0o1,
  O_RDWR: 0o2,
  O_CREAT: 0o100,
  O_EXCL: 0o200,
  O_NOCTTY: 0o400,
  O_TRUNC: 0o1000,
  O_APPEND: 0o2000,
  O_NONBLOCK: 0o4000,
  O_SYNC: 0o4010000,
  O_DSYNC: 0o10000,
  FASYNC: 0o20000,
  O_DIRECT: 0o40000,
  O_LARGEFILE: 0o100000,
  O_TMPFILE: 0o20200000,
  O_DIRECTORY: 0o200000,
  O_NOFOLLOW: 0o400000,
  O_NOATIME: 0o1000000,
  O_CLOEXEC: 0o2000000,
  O_PATH: 0o10000000
}

export const unlinkFlags: Flags = { AT_REMOVEDIR: 0x200 }

export const mountFlags: Flags = {
  MS_MGC_VAL: 0xc0ed0000,
  MS_RDONLY: 1,
  MS_NOSUID: 2,
  MS_NODEV: 4,
  MS_NOEXEC: 8,
  MS_SYNCHRONOUS: 16,
  MS_REMOUNT: 32,
  MS_MANDLOCK: 64,
  MS_DIRSYNC: 128,
  MS_NOSYMFOLLOW: 256,
  MS_NOATIME: 1024,
  MS_NODIRATIME: 2048,
  MS_BIND: 4096,
  MS_MOVE: 8192,
  MS_REC: 16_384,
  MS_SILENT: 32_768,
  MS_POSIXACL: 1 << 16,
  MS_UNBINDABLE: 1 << 17,
  MS_PRIVATE: 1 << 18,
  MS_SLAVE: 1 << 19,
  MS_SHARED: 1 << 20,
  MS_RELATIME: 1 << 21,
  MS_KERNMOUNT: 1 << 22,
  MS_I_VERSION: 1 << 23,
  MS_STRICTATIME: 1 << 24,
  MS_LAZYTIME: 1 << 25
}

export const memfdFlags: Flags = {
  MFD_CLOEXEC: 1,
  MFD_ALLOW_SEALING: 2,
  MFD_HUGETLB: 4,
  MFD_NOEXEC_SEAL: 8,
  MFD_EXEC: 16
}

/** Those that have the same number on x86-64 and arm64, with their 32-bit processes, or exist on one of them only. */
export const ptraceRequests: Flags = {
  PTRACE_TRACEME: 0,
  PTRACE_PEEKTEXT: 1,
  PTRACE_PEEKDATA: 2,
  PTRACE_PEEKUSR: 3,
  PTRACE_POKETEXT: 4,
  PTRACE_POKEDATA: 5,
  PTRACE_POKEUSR: 6,
  PTRACE_CONT: 7,
  PTRACE_KILL: 8,
  PTRACE_SINGLESTEP: 9,
  PTRACE_GETREGS: 12,
  PTRACE_SETREGS: 13,
  PTRACE_GETFPREGS: 14,
  PTRACE_SETFPREGS: 15,
  PTRACE_ATTACH: 16,
  PTRACE_DETACH: 17,
  PTRACE_SYSCALL: 24,
  PTRACE_ARCH_PRCTL: 30,
  PTRACE_SYSEMU: 31,
  PTRACE_SYSEMU_SINGLESTEP: 32,
  PTRACE_SETOPTIONS: 0x4200,
  PTRACE_GETEVENTMSG: 0x4201,
  PTRACE_GETSIGINFO: 0x4202,
  PTRACE_SETSIGINFO: 0x4203,
  PTRACE_GETREGSET: 0x4204,
  PTRACE_SETREGSET: 0x4205,
  PTRACE_SEIZE: 0x4206,
  PTRACE_INTERRUPT: 0x4207,
  PTRACE_LISTEN: 0x4208,
  PTRACE_PEEKSIGINFO: 0x4209,
  PTRACE_GETSIGMASK: 0x420a,
  PTRACE_SETSIGMASK: 0x420b,
  PTRACE_SECCOMP_GET_FILTER: 0x420c,
  PTRACE_SECCOMP_GET_METADATA: 0x420d,
  PTRACE_GET_SYSCALL_INFO: 0x420e,
  PTRACE_GET_RSEQ_CONFIGURATION: 0x420f,
  PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG: 0x4210,
  PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG: 0x4211,
  PTRACE_SET_SYSCALL_INFO: 0x4212
}

const requestNames = new Map(Object.entries(ptraceRequests).map(([name, number]) => [number, name]))

const has = (value: number, bits: number): boolean => (value & bits) >>> 0 === bits >>> 0

/** Names of the bits joined by '|', bits without a name as one hexadecimal number; `none` for no bit. */
const flagsText = (value: number, flags: Flags, none: string | null): string | null => {
  const names: string[] = []
  let left = value
  for (const [name, bits] of Object.entries(flags)) {
    if (!has(left, bits)) continue
    names.push(name)
    left = (left & ~bits) >>> 0
  }
  if (left !== 0) names.push(`0x${left.toString(16)}`)
  return names.length === 0 ? none : names.join('|')
}

/** Access modes 1 and 2 have a name each, 3 none; O_RDONLY is the absence of both, and O_PATH opens for neither. */
const openText = (value: number): string | null => {
  const isReading = (value & 3) === 0 && !has(value, openFlags['O_PATH'] as number)
  const text = flagsText(value, openFlags, null)
  return [isReading ? 'O_RDONLY' : null, text].filter((part) => part !== null).join('|')
}

const textOf: Readonly<Record<string, (value: number) => string | null>> = {
  open: openText,
  openat: openText,
  openat2: openText,
  creat: openText,
  open_by_handle_at: openText,
  unlinkat: (value) => flagsText(value, unlinkFlags, null),
  mount: (value) => flagsText(value, mountFlags, null),
  memfd_create: (value) => flagsText(value, memfdFlags, null)
}

/** The flags of a call by name, such as O_WRONLY|O_CREAT; null without flags. */
export const flagNames = (call: string | null, arg: number | null): string | null =>
  call === null || arg === null || !Object.hasOwn(textOf, call) ? null : (textOf[call]?.(arg) ?? null)

/** The request of a ptrace by name, or its number; null for any other call. */
export const requestName = (call: string | null, arg: number | null): string | null =>
  call !== 'ptrace' || arg === null ? null : (requestNames.get(arg) ?? String(arg))
