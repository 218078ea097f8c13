import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { callNames } from '../../producer/raw-event.ts'
import { callTable, modeTable, observedCalls } from '../../producer/syscall-table.ts'
import { RingsideError } from '../../runtime/errors.ts'

const names = (table: Uint8Array): string[] =>
  [...table].filter((call) => call !== 0).map((call) => callNames[call] ?? '?')

describe('system call tables', () => {
  it('know the numbers of x86-64', () => {
    const table = callTable('x64')
    assert.equal(table.length, 2048)
    assert.equal(callNames[table[0] ?? 0], 'read')
    assert.equal(callNames[table[257] ?? 0], 'openat')
    assert.deepEqual(names(table).toSorted(), [...observedCalls].toSorted())
  })

  it('know the numbers of arm64, which has neither open nor dup2', () => {
    const missing = observedCalls.filter((name) => !names(callTable('arm64')).includes(name))
    assert.deepEqual(missing, ['open', 'dup2'])
  })

  it('refuse an architecture they do not know', () => {
    assert.throws(() => callTable('riscv64'), /riscv64 are not known; known: x64, arm64/)
  })

  it('emit what is not named, and turn off what is', () => {
    const table = modeTable({ read: 'off', write: 'emit' }, 'x64')
    assert.equal(table.length, 2048)
    assert.equal(table[0], 0, 'read')
    assert.equal(table[1], 1, 'write')
    assert.equal(table[42], 1, 'connect')
    assert.equal(table[600], 0, 'no call at all')
  })

  it('name every call that does not exist, and those that do', () => {
    assert.throws(
      () => modeTable({ opne: 'emit', read: 'off', getppid: 'off', none: 'emit' }),
      (error) =>
        error instanceof RingsideError &&
        error.code === 'CONFIG' &&
        /opne, getppid, none; there are: open, /.test(error.message)
    )
  })
})
