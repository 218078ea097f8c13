import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { callEntry, knownCalls } from '../../../bpf/event.ts'
import {
  callName,
  callTable,
  configurableCalls,
  emittingClasses,
  modeTable
} from '../../../producer/source/syscall-table.ts'
import { RingsideError } from '../../../runtime/errors.ts'
import { parseNumbers, parseUringOperations } from '../../../scripts/generate-call-tables.ts'

const compat = 1024
const uring = 768
const off = 0
const emit = 1
const count = 2
const nameOf = (call: number) => knownCalls[call & callEntry.callMask]
const callAt = (table: Uint8Array, at: number) => nameOf(table[at] ?? 0)

/** The text of a kernel header of this machine; '' without one. */
const readHeader = (path: string): string =>
  existsSync(`/usr/include/${path}`) ? readFileSync(`/usr/include/${path}`, 'utf8') : ''

const x86 = 'x86_64-linux-gnu/asm'
/** Headers of this machine, with the architecture and ABI that they are of. */
const unistdHeaders = [
  { path: `${x86}/unistd_64.h`, architecture: 'x64', isCompat: false },
  { path: `${x86}/unistd_x32.h`, architecture: 'x64', isCompat: false },
  { path: `${x86}/unistd_32.h`, architecture: 'x64', isCompat: true },
  { path: 'aarch64-linux-gnu/asm/unistd_64.h', architecture: 'arm64', isCompat: false },
  { path: 'arm-linux-gnueabihf/asm/unistd-eabi.h', architecture: 'arm64', isCompat: true }
]

/** Numbers of arm64 up to Linux 6.10, whose header is asm-generic/unistd.h with these choices. */
const readGenericNumbers = (): ReadonlyMap<string, number> => {
  const wanted = ['RENAMEAT', 'NEW_STAT', 'SET_GET_RLIMIT', 'SYS_CLONE3', 'MEMFD_SECRET']
  const options = ['-E', '-dM', '-xc', '/dev/null', '-include', 'asm-generic/unistd.h']
  const macros = execFileSync('gcc', [...options, ...wanted.map((name) => `-D__ARCH_WANT_${name}`)], {
    encoding: 'utf8'
  })
  const values = new Map([...macros.matchAll(/^#define (__NR\w+) (\w+)$/gm)].map(([, name, value]) => [name, value]))
  const numbers = [...values].flatMap(([name = '', value]) =>
    /^__NR_(?!syscalls|arch_specific)/.test(name)
      ? [[name.slice('__NR_'.length), Number(values.get(value) ?? value)] as const]
      : []
  )
  return new Map(numbers)
}

describe('system call tables', () => {
  it('have an entry for every number of both ABIs, of every architecture', () => {
    for (const architecture of ['x64', 'arm64']) {
      const table = callTable(architecture)
      assert.equal(table.length, 2 * 1024)
      assert.ok(table.every((call) => nameOf(call) !== undefined && nameOf(call) !== 'none'))
    }
  })

  it('know calls by the numbers of x86-64, x32 and i386', () => {
    const table = callTable('x64')
    const calls = [0, 257, 46, 518, 39, 600].map((number) => callAt(table, number))
    assert.deepEqual(calls, ['read', 'openat', 'sendmsg', 'sendmsg', 'other', 'other'])
    const calls32 = [3, 5, 39, 337, 417, 102].map((number) => callAt(table, compat + number))
    assert.deepEqual(calls32, ['read', 'open', 'other', 'recvmmsg', 'recvmmsg', 'other'])
  })

  it('know calls by the numbers of arm64, which has neither open nor dup2, and of 32-bit arm', () => {
    const table = callTable('arm64')
    const native = new Set([...table.subarray(0, uring)].map(nameOf))
    const known = knownCalls.filter((name) => name !== 'none')
    assert.deepEqual(
      known.filter((name) => !native.has(name)),
      ['open', 'dup2', 'unlink', 'rename']
    )
    const compats = new Set([...table.subarray(compat, compat + uring)].map(nameOf))
    assert.deepEqual(
      known.filter((name) => !compats.has(name)),
      []
    )
    assert.equal(callAt(table, 221), 'execve')
    assert.equal(callAt(table, compat + 283), 'connect')
  })

  it('mark the calls whose result is a number of bytes, in both ABIs', () => {
    const table = callTable('x64')
    const marked = (at: number) => ((table[at] ?? 0) & 0x80) !== 0
    assert.deepEqual([0, 1, 17, 20, 40, 44, 47, 515, compat + 3, compat + 187, compat + 371].filter(marked).length, 11)
    assert.deepEqual([2, 3, 39, 110, 299, 307, compat + 102, uring + 22].filter(marked), [])
  })

  it('agree with the headers of this machine', (test) => {
    const present = unistdHeaders.filter(({ path }) => readHeader(path) !== '')
    if (present.length === 0) return test.skip('needs headers of the kernel: apt-get install linux-libc-dev')
    for (const { path, architecture, isCompat } of present) {
      const numbers = parseNumbers(readHeader(path))
      assert.ok(numbers.size > 0, path)
      for (const [name, number] of numbers) assert.equal(callName(number, isCompat, architecture), name, path)
    }
  })

  it('agree with the generic header of this machine, which arm64 uses', (test) => {
    if (readHeader('asm-generic/unistd.h') === '') return test.skip('needs asm-generic/unistd.h')
    const numbers = readGenericNumbers()
    assert.ok(numbers.size > 300)
    for (const [name, number] of numbers) assert.equal(callName(number, false, 'arm64'), name)
  })

  it('agree with the io_uring operations of this machine', (test) => {
    const header = readHeader('linux/io_uring.h')
    if (header === '') return test.skip('needs linux/io_uring.h')
    const operations = parseUringOperations(header)
    assert.deepEqual(
      operations.map((_, number) => callName(uring + number, false)),
      operations.map((name) => `io_uring_${name}`)
    )
  })

  it('refuse an architecture they do not know', () => {
    assert.throws(() => callTable('riscv64'), /riscv64 are not known; known: x64, arm64/)
  })

  it('name what a number stands for, also what is newer than they are', () => {
    assert.equal(callName(39, false, 'x64'), 'getpid')
    assert.equal(callName(39, true, 'x64'), 'mkdir')
    assert.equal(callName(39, false, 'arm64'), 'umount2')
    assert.equal(callName(39, true, 'arm64'), 'mkdir')
    assert.equal(callName(469, false, 'x64'), 'file_setattr')
    assert.equal(callName(500, false, 'x64'), 'syscall_500')
    assert.equal(callName(uring + 16, false, 'x64'), 'io_uring_connect')
    assert.equal(callName(uring + 200, false, 'x64'), 'io_uring_operation_200')
  })

  it('know io_uring operations by the system call that does the same', () => {
    const table = callTable()
    const calls = [16, 18, 27, 47, 62, 200].map((operation) => callAt(table, uring + operation))
    assert.deepEqual(calls, ['connect', 'openat', 'recvfrom', 'sendto', 'other', 'other'])
  })
})

describe('modes of calls', () => {
  it('are emit for processes, network and files, and count for all the rest', () => {
    const table = modeTable({}, new Set(), 'x64')
    assert.equal(table.length, 2 * 1024)
    const emitted = [59, 101, 41, 42, 46, 307, 3, 33, 257, 87, 316, compat + 11, compat + 362, uring + 16, uring + 18]
    for (const at of emitted) assert.equal(table[at], emit, `${at}`)
    const counted = [0, 1, 45, 47, 299, 39, 500, compat + 3, compat + 102, uring + 22, uring + 0]
    for (const at of counted) assert.equal(table[at], count, `${at}`)
  })

  it('are changed by name, in both ABIs at once', () => {
    const table = modeTable({ read: 'emit', getppid: 'off', openat: 'count', recvmmsg: 'emit' }, new Set(), 'x64')
    assert.deepEqual([table[0], table[compat + 3]], [emit, emit], 'read')
    assert.deepEqual([table[110], table[compat + 64]], [off, off], 'getppid')
    assert.deepEqual([table[257], table[compat + 295]], [count, count], 'openat')
    assert.deepEqual([table[299], table[537], table[compat + 337], table[compat + 417]], [emit, emit, emit, emit])
    assert.equal(table[uring + 22], count, 'io_uring_read has a name of its own')
    assert.equal(modeTable({ io_uring_read: 'off' }, new Set(), 'x64')[uring + 22], off)
  })

  it('count the calls of reduced classes that would emit, also those that were named', () => {
    const table = modeTable({ read: 'emit', unlink: 'off' }, new Set(['io', 'file'] as const), 'x64')
    assert.equal(table[0], count, 'read')
    assert.equal(table[257], count, 'openat')
    assert.equal(table[87], off, 'unlink')
    assert.equal(table[42], emit, 'connect')
    assert.equal(table[uring + 18], count, 'io_uring_openat')
  })

  it('refuse every name that there is not, and say what is near it', () => {
    assert.throws(
      () => modeTable({ opne: 'emit', read: 'off', io_uring_conect: 'off', none: 'emit', other: 'off' }),
      (error) =>
        error instanceof RingsideError &&
        error.code === 'CONFIG' &&
        /"opne" \(near it: open, .*; "io_uring_conect" \(near it: io_uring_connect, .*; "none" .*; "other" /.test(
          error.message
        )
    )
  })

  it('may be given for every name of every architecture', () => {
    assert.ok(configurableCalls.length > 500)
    assert.equal(new Set(configurableCalls).size, configurableCalls.length)
    for (const name of ['open', 'socketcall', 'arm_sync_file_range', 'io_uring_enter', 'io_uring_connect']) {
      assert.ok(configurableCalls.includes(name), name)
    }
  })

  it('there is something to reduce in a class of which a call emits', () => {
    assert.deepEqual(emittingClasses({}, 'x64'), ['process', 'network', 'file'])
    assert.deepEqual(emittingClasses({ getppid: 'emit' }, 'x64'), ['process', 'network', 'file', 'io'])
    const files = ['open', 'openat', 'openat2', 'unlink', 'unlinkat', 'rename', 'renameat', 'renameat2']
    const uring = ['openat', 'openat2', 'unlinkat', 'renameat'].map((name) => `io_uring_${name}`)
    const off = Object.fromEntries([...files, ...uring].map((name) => [name, 'off' as const]))
    assert.deepEqual(emittingClasses(off, 'x64'), ['process', 'network'])
  })
})
