import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { abis, callEntry, callMode, classOfCall, knownCalls, nrMax, nrUring } from '../../../bpf/event.ts'
import { callTable, emittingClasses, modeTable } from '../../../producer/source/call-tables.ts'
import { RingsideError } from '../../../runtime/errors.ts'

const compat = nrMax
const uring = nrUring
const { off, emit, count } = callMode
const nameOf = (call: number) => knownCalls[call & callEntry.callMask]
const callAt = (table: Uint8Array, at: number) => nameOf(table[at] ?? 0)

describe('the table of calls', () => {
  it('has an entry for every number of both ABIs, on every architecture', () => {
    for (const architecture of ['x64', 'arm64']) {
      const table = callTable(architecture)
      assert.equal(table.length, abis.length * nrMax)
      assert.ok(table.every((call) => nameOf(call) !== undefined && nameOf(call) !== 'none'))
    }
  })

  it('has the numbers of x86-64, x32 and i386', () => {
    const table = callTable('x64')
    const calls = [0, 257, 46, 518, 39, 600].map((number) => callAt(table, number))
    assert.deepEqual(calls, ['read', 'openat', 'sendmsg', 'sendmsg', 'other', 'other'])
    const calls32 = [3, 5, 39, 337, 417, 102].map((number) => callAt(table, compat + number))
    assert.deepEqual(calls32, ['read', 'open', 'other', 'recvmmsg', 'recvmmsg', 'other'])
  })

  it('has the numbers of arm64, which has neither open nor dup2, and of 32-bit arm', () => {
    const table = callTable('arm64')
    const native = new Set([...table.subarray(0, uring)].map(nameOf))
    const known = knownCalls.filter((name) => name !== 'none')
    assert.deepEqual(
      known.filter((name) => !native.has(name)),
      ['open', 'dup2', 'unlink', 'rename', 'creat', 'link', 'symlink']
    )
    const compats = new Set([...table.subarray(compat, compat + uring)].map(nameOf))
    assert.deepEqual(
      known.filter((name) => !compats.has(name)),
      []
    )
    assert.equal(callAt(table, 221), 'execve')
    assert.equal(callAt(table, compat + 283), 'connect')
  })

  it('has io_uring operations as the system call that does the same', () => {
    const table = callTable()
    const calls = [16, 18, 27, 47, 62, 200].map((operation) => callAt(table, uring + operation))
    assert.deepEqual(calls, ['connect', 'openat', 'recvfrom', 'sendto', 'other', 'other'])
  })

  it('marks the calls whose result is a number of bytes, in both ABIs', () => {
    const table = callTable('x64')
    const marked = (at: number) => ((table[at] ?? 0) & callEntry.movesBytes) !== 0
    assert.deepEqual([0, 1, 17, 20, 40, 44, 47, 515, compat + 3, compat + 187, compat + 371].filter(marked).length, 11)
    assert.deepEqual([2, 3, 39, 110, 299, 307, compat + 102, uring + 22].filter(marked), [])
  })

  it('refuses an architecture without tables', () => {
    assert.throws(() => callTable('riscv64'), /no table of system calls for riscv64; supported: x64, arm64/)
  })
})

describe('the table of modes', () => {
  it('emits calls of processes, network and files, and counts the rest', () => {
    const table = modeTable({}, new Set(), 'x64')
    assert.equal(table.length, abis.length * nrMax)
    const emitted = [59, 101, 41, 42, 46, 307, 3, 33, 257, 87, 316, compat + 11, compat + 362, uring + 16, uring + 18]
    for (const at of emitted) assert.equal(table[at], emit, `${at}`)
    const counted = [0, 1, 45, 47, 299, 39, 500, compat + 3, compat + 102, uring + 22, uring + 0]
    for (const at of counted) assert.equal(table[at], count, `${at}`)
  })

  it('has the modes of a configuration, in both ABIs', () => {
    const table = modeTable({ read: 'emit', getppid: 'off', openat: 'count', recvmmsg: 'emit' }, new Set(), 'x64')
    assert.deepEqual([table[0], table[compat + 3]], [emit, emit], 'read')
    assert.deepEqual([table[110], table[compat + 64]], [off, off], 'getppid')
    assert.deepEqual([table[257], table[compat + 295]], [count, count], 'openat')
    assert.deepEqual([table[299], table[537], table[compat + 337], table[compat + 417]], [emit, emit, emit, emit])
    assert.equal(table[uring + 22], count, 'io_uring_read has its own name')
    assert.equal(modeTable({ io_uring_read: 'off' }, new Set(), 'x64')[uring + 22], off)
  })

  it('counts the emitted calls of reduced classes, configured ones included', () => {
    const table = modeTable({ read: 'emit', unlink: 'off' }, new Set(['io', 'file'] as const), 'x64')
    assert.equal(table[0], count, 'read')
    assert.equal(table[257], count, 'openat')
    assert.equal(table[87], off, 'unlink')
    assert.equal(table[42], emit, 'connect')
    assert.equal(table[uring + 18], count, 'io_uring_openat')
  })

  it('refuses all unknown names, and suggests similar ones', () => {
    assert.throws(
      () => modeTable({ opne: 'emit', read: 'off', io_uring_conect: 'off', none: 'emit', other: 'off' }),
      (error) =>
        error instanceof RingsideError &&
        error.code === 'CONFIG' &&
        /"opne" \(similar: open, .*; "io_uring_conect" \(similar: io_uring_connect, .*; "none" .*; "other" /.test(
          error.message
        )
    )
  })

  it('can reduce the classes with an emitted call', () => {
    assert.deepEqual(emittingClasses({}, 'x64'), ['process', 'network', 'file'])
    assert.deepEqual(emittingClasses({ getppid: 'emit' }, 'x64'), ['process', 'network', 'file', 'io'])
    const files = knownCalls.filter((name) => classOfCall[name] === 'file')
    const uring = ['openat', 'openat2', 'unlinkat', 'renameat', 'linkat', 'symlinkat'].map((name) => `io_uring_${name}`)
    const off = Object.fromEntries([...files, ...uring].map((name) => [name, 'off' as const]))
    assert.deepEqual(emittingClasses(off, 'x64'), ['process', 'network'])
  })
})
