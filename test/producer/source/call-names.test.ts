import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { nrUring } from '../../../bpf/event.ts'
import { callName, configurableCalls } from '../../../producer/source/call-names.ts'
import { parseNumbers, parseUringOperations } from '../../../scripts/generate-call-tables.ts'

/** The text of a kernel header of this machine; '' without one. */
const readHeader = (path: string): string =>
  existsSync(`/usr/include/${path}`) ? readFileSync(`/usr/include/${path}`, 'utf8') : ''

const x86 = 'x86_64-linux-gnu/asm'
/** Headers of this machine, with their architecture and ABI. */
const unistdHeaders = [
  { path: `${x86}/unistd_64.h`, architecture: 'x64', isCompat: false },
  { path: `${x86}/unistd_x32.h`, architecture: 'x64', isCompat: false },
  { path: `${x86}/unistd_32.h`, architecture: 'x64', isCompat: true },
  { path: 'aarch64-linux-gnu/asm/unistd_64.h', architecture: 'arm64', isCompat: false },
  { path: 'arm-linux-gnueabihf/asm/unistd-eabi.h', architecture: 'arm64', isCompat: true }
]

/** Numbers of arm64 from asm-generic/unistd.h, with the choices of its own header up to Linux 6.10. */
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

describe('names of calls', () => {
  it('depend on architecture and ABI, and say the number of a call without an entry', () => {
    assert.equal(callName(39, false, 'x64'), 'getpid')
    assert.equal(callName(39, true, 'x64'), 'mkdir')
    assert.equal(callName(39, false, 'arm64'), 'umount2')
    assert.equal(callName(39, true, 'arm64'), 'mkdir')
    assert.equal(callName(469, false, 'x64'), 'file_setattr')
    assert.equal(callName(500, false, 'x64'), 'syscall_500')
    assert.equal(callName(nrUring + 16, false, 'x64'), 'io_uring_connect')
    assert.equal(callName(nrUring + 200, false, 'x64'), 'io_uring_operation_200')
  })

  it('in a configuration may be of any architecture', () => {
    assert.ok(configurableCalls.length > 500)
    assert.equal(new Set(configurableCalls).size, configurableCalls.length)
    for (const name of ['open', 'socketcall', 'arm_sync_file_range', 'io_uring_enter', 'io_uring_connect']) {
      assert.ok(configurableCalls.includes(name), name)
    }
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
      operations.map((_, number) => callName(nrUring + number, false)),
      operations.map((name) => `io_uring_${name}`)
    )
  })
})
