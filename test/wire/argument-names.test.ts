import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  flagNames,
  memfdFlags,
  mountFlags,
  openFlags,
  ptraceRequests,
  requestName,
  unlinkFlags
} from '../../wire/argument-names.ts'
import { headerValues } from '../support/header-values.ts'
import { commandsMissing } from '../support/programs.ts'

const skip = process.arch === 'x64' ? commandsMissing('gcc') : 'the tables have the values of x86-64'

for (const [what, table, headers, newer] of [
  ['open', openFlags, ['asm-generic/fcntl.h'], []],
  ['unlinkat', unlinkFlags, ['linux/fcntl.h'], []],
  ['mount', mountFlags, ['linux/mount.h'], []],
  ['memfd_create', memfdFlags, ['linux/memfd.h'], ['MFD_NOEXEC_SEAL', 'MFD_EXEC']],
  [
    'ptrace',
    ptraceRequests,
    ['linux/ptrace.h', 'asm/ptrace-abi.h'],
    [
      ...['PTRACE_GET_RSEQ_CONFIGURATION', 'PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG'],
      ...['PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG', 'PTRACE_SET_SYSCALL_INFO']
    ]
  ]
] as const) {
  test(`the names of ${what}'s numbers are those of the kernel headers`, { skip }, () => {
    const values = headerValues(headers, Object.keys(table))
    for (const [name, number] of Object.entries(table)) {
      // Headers older than the name may lack it.
      if (!values.has(name) && (newer as readonly string[]).includes(name)) continue
      assert.equal(number, values.get(name), name)
    }
  })
}

test('flags of open are the access mode, then every bit by name', () => {
  for (const [flags, text] of [
    [0, 'O_RDONLY'],
    [0o2000000, 'O_RDONLY|O_CLOEXEC'],
    [0o1101, 'O_WRONLY|O_CREAT|O_TRUNC'],
    [0o2, 'O_RDWR'],
    [0o20200002, 'O_RDWR|O_TMPFILE'],
    [0o200000, 'O_RDONLY|O_DIRECTORY'],
    [0o4010002, 'O_RDWR|O_SYNC'],
    [0o10000, 'O_RDONLY|O_DSYNC'],
    [0o10000000, 'O_PATH'],
    [0x80000001, 'O_WRONLY|0x80000000']
  ] as const) {
    assert.equal(flagNames('openat', flags), text)
  }
  assert.equal(flagNames('creat', 0o1101), 'O_WRONLY|O_CREAT|O_TRUNC')
})

test('flags of other calls are names too, and null without a bit', () => {
  assert.equal(flagNames('unlinkat', 0x200), 'AT_REMOVEDIR')
  assert.equal(flagNames('unlinkat', 0), null)
  assert.equal(flagNames('mount', 0xc0ed1001), 'MS_MGC_VAL|MS_RDONLY|MS_BIND')
  assert.equal(flagNames('memfd_create', 3), 'MFD_CLOEXEC|MFD_ALLOW_SEALING')
  assert.equal(flagNames('memfd_create', 4 | (21 << 26)), 'MFD_HUGETLB|0x54000000')
})

test('a call without flags has none, whatever its argument', () => {
  for (const call of ['connect', 'io_uring_openat', 'ptrace', 'toString', null]) assert.equal(flagNames(call, 1), null)
  assert.equal(flagNames('openat', null), null)
})

test('a ptrace request has its name, or its number', () => {
  assert.deepEqual(
    [0, 16, 0x4206, 99].map((request) => requestName('ptrace', request)),
    ['PTRACE_TRACEME', 'PTRACE_ATTACH', 'PTRACE_SEIZE', '99']
  )
  assert.equal(requestName('openat', 16), null)
  assert.equal(requestName('ptrace', null), null)
})
