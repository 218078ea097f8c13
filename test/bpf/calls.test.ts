// Fields that depend on the call: names, addresses, flags. The same for calls of 32-bit processes.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { callName } from '../../producer/source/call-names.ts'
import { kernelTimeoutMs } from '../support/kernel.ts'
import { callsOf, commOf, kindsOf, observe, observeProgram, program, run, type Seen, skip } from './observe.ts'

const folder = mkdtempSync(join(tmpdir(), 'ringside-test-'))
after(() => rmSync(folder, { recursive: true }))

const { EBADF, EFAULT, ENAMETOOLONG, ENOENT, EAGAIN, ESRCH, EAFNOSUPPORT, EINVAL, ENOSYS } = constants.errno
const atCwd = -100
const isX64 = process.arch === 'x64'
const sums = (event: Seen) => [event.messages, event.amount]
const names = (event: Seen) => [event.fd, event.path, event.extra, event.ret]
/** The order of both rings together. */
const inOrder = (events: readonly Seen[]) => events.toSorted((a, b) => a.timeNs - b.timeNs)
const recvs = { recvfrom: 'emit', recvmsg: 'emit', recvmmsg: 'emit' } as const

const observeWith = async (calls: Record<string, 'emit' | 'count' | 'off'>, name: string, ...args: string[]) => {
  const path = program(name)
  return observe({ comms: [commOf(name)], calls }, () => run(path, ...args))
}

describe('calls', { skip, timeout: kernelTimeoutMs }, () => {
  it('that open a file carry their flags', async () => {
    const file = join(folder, 'file')
    const list = join(folder, 'names')
    writeFileSync(file, '....')
    writeFileSync(list, `${file}\0`)
    const { events } = await observeProgram('files', file, list)
    const { O_RDONLY, O_RDWR } = { O_RDONLY: 0, O_RDWR: 2 }
    if (isX64) assert.equal(callsOf(events, 'open')[0]?.arg, O_RDONLY)
    assert.deepEqual(
      callsOf(events, 'openat').map((event) => event.arg),
      [O_RDWR, O_RDONLY, O_RDONLY, O_RDONLY, O_RDONLY]
    )
    const [openat2] = callsOf(events, 'openat2')
    const noMagiclinks = 2
    assert.deepEqual([openat2?.arg, openat2?.amount], [O_RDWR, noMagiclinks], 'from struct open_how')
  })

  it('that rename or remove a file carry its names, made absolute', async () => {
    const place = join(folder, 'renames')
    mkdirSync(place)
    for (const name of ['a', 'b']) writeFileSync(join(place, name), '')
    const long = 'x'.repeat(3000)
    const { events } = await observeProgram('names', place, long)
    const [exchange, tooLong, unreadable] = callsOf(events, 'renameat2')
    const at = (name: string): string => join(place, name)
    const dir = callsOf(events, 'openat').find((event) => event.path === place)?.ret ?? -1
    if (isX64) {
      assert.deepEqual(callsOf(events, 'rename').map(names), [[-1, at('a'), at('c'), 0]])
      assert.deepEqual(callsOf(events, 'unlink').map(names), [[-1, at('a'), '', 0]])
    }
    assert.deepEqual(callsOf(events, 'renameat').map(names), [[dir, at('c'), at('a'), 0]])
    assert.equal(tooLong?.isTruncated, false, 'a name that no folder can have is whole in the record')
    assert.deepEqual(
      [exchange, tooLong, unreadable].map((event) => event && names(event)),
      [
        [atCwd, at('a'), at('b'), 0],
        [atCwd, at('a'), at(long), -ENAMETOOLONG],
        [atCwd, '', at('c'), -EFAULT]
      ]
    )
    assert.deepEqual(callsOf(events, 'unlinkat').map(names), [
      [dir, at('b'), '', 0],
      [atCwd, at('nowhere'), '', -ENOENT]
    ])
    const files = events.filter((event) => /^(unlink|rename)/.test(event.call))
    assert.deepEqual([...new Set(files.map((event) => event.class))], ['file'])
  })

  for (const [first, second] of [
    [255, 10],
    [10, 255],
    [254, 254],
    [256, 3000],
    [4095, 4095]
  ] as const) {
    it(`carry names of ${first} and ${second} bytes in full`, async () => {
      const path = (length: number) => `/${'x'.repeat(199)}`.repeat(21).slice(0, length)
      const { events } = await observeProgram('rename_paths', path(first), path(second))
      const [rename] = callsOf(events, 'renameat2')
      assert.deepEqual([rename?.path, rename?.extra, rename?.isTruncated], [path(first), path(second), false])
    })
  }

  it('of ptrace carry the request and the target pid', async () => {
    const place = join(folder, 'ptrace')
    mkdirSync(place)
    const { events, result } = await observeProgram('names', place, 'x')
    const child = Number(result.stdout)
    const seize = 0x4206
    const attach = 16
    assert.deepEqual(
      callsOf(events, 'ptrace').map(({ arg, target, ret, fd, class: eventClass }) => [
        arg,
        target,
        ret,
        fd,
        eventClass
      ]),
      [
        [seize, child, 0, -1, 'process'],
        [attach, -1, -ESRCH, -1, 'process']
      ]
    )
    assert.ok(events.filter((event) => event.call !== 'ptrace').every((event) => event.target === -1))
  })

  it('of ptrace in a pid namespace carry the pids of the target there and in the initial one', async () => {
    const { events, result } = await observeProgram('pid_namespace')
    assert.equal(result.code, 0)
    const forks = kindsOf(inOrder(events), 'fork').map((event) => event.pid)
    const [tracee, child] = forks.slice(-2)
    assert.deepEqual(
      callsOf(events, 'ptrace').map(({ arg, target, reference, ret }) => [arg, target, reference, ret]),
      [
        [0x4206, 2, tracee, 0],
        [0x4207, 2, tracee, 0],
        [17, 2, tracee, 0],
        [0x4206, 77, -1, -ESRCH],
        [0, 0, child, 0]
      ]
    )
  })

  it('of socket carry the arguments, or the fields of the new socket', async () => {
    const place = join(folder, 'socket')
    mkdirSync(place)
    const { events } = await observeProgram('names', place, 'x')
    assert.deepEqual(
      callsOf(events, 'socket').map(({ ret, fd, class: eventClass, socket }) => [
        ret < 0 ? ret : 'fd',
        fd,
        eventClass,
        socket?.family,
        socket?.type,
        socket?.protocol
      ]),
      [
        ['fd', -1, 'network', 10, 2, 17],
        ['fd', -1, 'network', 16, 3, 0],
        [-EAFNOSUPPORT, -1, 'network', 99, 1, 7]
      ]
    )
  })

  it('that send or receive messages carry their addresses', async () => {
    const { events, result } = await observeWith(recvs, 'messages')
    const [client, server] = result.stdout.split(' ').map((port) => `127.0.0.1:${Number(port)}`)
    const ends = (event: Seen) => [event.ret, event.socket?.local, event.socket?.remote]
    assert.deepEqual(callsOf(events, 'sendmmsg').map(ends), [[6, client, server]])
    assert.deepEqual(callsOf(events, 'sendmmsg').map(sums), [[6, 18]])
    assert.deepEqual(callsOf(events, 'recvfrom').map(ends), [
      [3, server, client],
      [3, server, '0.0.0.0:0'],
      [-EAGAIN, server, '0.0.0.0:0']
    ])
    assert.deepEqual(callsOf(events, 'recvmsg').map(ends), [
      [3, server, client],
      [3, server, '0.0.0.0:0']
    ])
    assert.deepEqual(callsOf(events, 'recvmmsg').map(ends), [[2, server, client]])
    assert.deepEqual(callsOf(events, 'recvmmsg').map(sums), [[2, 6]])
    assert.deepEqual([...new Set(callsOf(events, 'recvmsg').map((event) => event.class))], ['io'])
    assert.equal(callsOf(events, 'sendmmsg')[0]?.class, 'network')
  })

  it('that send or receive many messages are followed by those of each further address, at most 63', async () => {
    const { events, result } = await observeWith(recvs, 'destinations')
    assert.equal(result.code, 0)
    const [spread, wide, flood] = callsOf(events, 'sendmmsg')
    const rowsOf = (call: Seen | undefined) => {
      const others = kindsOf(events, 'messages').filter(
        ({ origin, originId }) => origin === call?.cpu && originId === call?.seq
      )
      return [call as Seen, ...others]
    }
    const fieldsOf = (call: Seen | undefined) =>
      rowsOf(call).map(({ socket, messages, amount }) => [socket?.remote, messages, amount])
    const host = (i: number) => `127.0.0.${i}:9`
    assert.deepEqual(
      fieldsOf(spread).sort(),
      Array.from({ length: 30 }, (_, i) => [host(i + 2), 2, 2 * (i + 2)]).sort()
    )
    assert.deepEqual(fieldsOf(spread)[0], [host(2), 2, 4], 'the first address is that of the call')
    const widest = fieldsOf(wide)
    assert.deepEqual(
      widest.filter(([remote]) => remote !== '0.0.0.0:0').sort(),
      Array.from({ length: 63 }, (_, i) => [host(i + 2), 1, 1]).sort()
    )
    assert.deepEqual(widest.at(-1), ['0.0.0.0:0', 37, 37], 'messages to the other addresses')
    assert.deepEqual(fieldsOf(flood), [[host(2), 1024, 5 * 1024]])
    const [received] = callsOf(events, 'recvmmsg')
    const ports = result.stdout.trim().split(' ')
    assert.deepEqual(fieldsOf(received).sort(), ports.map((port, i) => [`127.0.0.1:${port}`, 1, i + 1]).sort())
    assert.deepEqual([...new Set(rowsOf(received).map((event) => event.class))], ['io'])
    for (const event of kindsOf(events, 'messages')) {
      assert.deepEqual([event.pid, event.comm, event.ret, event.durationNs], [result.pid, 'rs-destinations', 0, 0])
    }
  })
})

const canCompileFor32Bits = (): boolean => {
  const source = 'int main(void) { return sizeof(void *) != 4; }'
  return spawnSync('gcc', ['-m32', '-static', '-x', 'c', '-', '-o', '/dev/null'], { input: source }).status === 0
}

describe('calls of 32-bit programs', {
  skip: skip || (isX64 ? false : 'needs x86-64'),
  timeout: kernelTimeoutMs
}, () => {
  it('are decoded by the numbers and structures of their ABI', async (test) => {
    const file = join(folder, 'compat')
    writeFileSync(file, '')
    const all = { ...recvs, write: 'emit', mkdir: 'emit', shutdown: 'emit', socketcall: 'emit' } as const
    const { events, result } = await observeWith(all, 'compat', file)
    if (result.code === 2) return test.skip('this kernel has no 32-bit entry')
    assert.equal(result.code, 0)
    const server = `127.0.0.1:${Number(result.stdout)}`
    const compat = inOrder(events).filter((event) => event.kind === 'syscall' && event.isCompat)
    const calls = compat.map((event) => [event.call, callName(event.nr, true), event.path, Math.min(event.ret, 0)])
    assert.deepEqual(calls, [
      ['openat', 'openat', file, 0],
      ['open', 'open', '/nowhere/at-all', -ENOENT],
      ['write', 'write', '', -EBADF],
      ['rename', 'rename', '/nowhere/at-all', -ENOENT],
      ['unlink', 'unlink', '/nowhere/at-all', -ENOENT],
      ['other', 'mkdir', '', -ENOENT],
      ['ptrace', 'ptrace', '', -ESRCH],
      ['socket', 'socket', '', 0],
      ['sendmsg', 'sendmsg', '', 0],
      ['sendmmsg', 'sendmmsg', '', 0],
      ['recvfrom', 'recvfrom', '', 0],
      ['connect', 'connect', '', 0],
      ['socket', 'socket', '', 0],
      ['connect', 'connect', '', 0],
      ['sendto', 'sendto', '', 0],
      ['sendto', 'sendto', '', 0],
      ['recvmsg', 'recvmsg', '', 0],
      ['other', 'shutdown', '', 0],
      ['other', 'socketcall', '', -EFAULT],
      ['other', 'socketcall', '', -EINVAL]
    ])
    const [openat, open] = compat
    assert.deepEqual([openat?.fd, openat?.arg, open?.arg], [atCwd, 1, 0x82])
    assert.equal(callsOf(compat, 'rename')[0]?.extra, file)
    assert.deepEqual([callsOf(compat, 'ptrace')[0]?.arg, callsOf(compat, 'ptrace')[0]?.target], [16, -1])
    for (const call of ['sendmsg', 'sendmmsg', 'connect', 'sendto']) {
      const remotes = callsOf(compat, call).map((event) => event.socket?.remote)
      assert.ok(remotes.length > 0 && remotes.every((remote) => remote === server), `${call} ${remotes}`)
    }
    const [second] = kindsOf(events, 'messages')
    assert.deepEqual(
      [second?.socket?.remote, second?.messages, second?.amount, second?.isCompat],
      ['127.0.0.1:9', 1, 5, true]
    )
    const [recvfrom] = callsOf(compat, 'recvfrom')
    const client = callsOf(compat, 'connect')[0]?.socket?.local
    assert.deepEqual([recvfrom?.socket?.local, recvfrom?.socket?.remote], [server, client])
    assert.deepEqual(
      callsOf(compat, 'sendto').map((event) => event.ret),
      [6, 7]
    )
  })

  it('are decoded for a process that is compiled for 32 bits', async (test) => {
    if (!canCompileFor32Bits()) return test.skip('gcc -m32 does not work: apt-get install gcc-multilib')
    const path = program('short_pointers', '-m32')
    const file = join(folder, 'short')
    writeFileSync(file, '')
    const { events, result } = await observe({ comms: [commOf('short_pointers')] }, () => run(path, file))
    if (result.code !== 0) return test.skip('this kernel executes no 32-bit programs')
    const calls = inOrder(events).filter((event) => event.kind === 'syscall')
    const first = calls.findIndex((event) => event.call === 'execve' && event.path === path)
    assert.ok(calls.every((event) => event.isCompat))
    assert.equal(calls[first]?.ret, 0)
    const server = `127.0.0.1:${Number(result.stdout)}`
    const own = calls.slice(first + 1).map((event) => [event.call, event.path || (event.socket?.remote ?? '')])
    const none = '0.0.0.0:0'
    for (const expected of [
      ['bind', none],
      ['sendmsg', server],
      ['connect', server],
      ['sendto', server],
      ['openat', file],
      ['rename', file]
    ]) {
      assert.ok(
        own.some(([call, argument]) => call === expected[0] && argument === expected[1]),
        `${expected} of ${own.join('; ')}`
      )
    }
    assert.equal(calls.filter((event) => event.call === 'socket').length, 2)
    const [exec, again] = kindsOf(events, 'exec')
    assert.deepEqual([exec?.path, again?.path], [path, path])
  })

  it('of x32 have the names of their numbers, even if the kernel rejects them', async (test) => {
    const file = join(folder, 'x32')
    writeFileSync(file, '')
    const { events, result } = await observeWith(recvs, 'compat', file)
    if (result.code === 2) return test.skip('this kernel has no 32-bit entry')
    const native = inOrder(events).filter((event) => event.kind === 'syscall' && !event.isCompat)
    const [openat, sendmsg] = native.slice(-2)
    const x32Sendmsg = 518
    assert.deepEqual(
      [openat?.call, openat?.path, sendmsg?.call, sendmsg?.nr],
      ['openat', '/nowhere/at-all', 'sendmsg', x32Sendmsg]
    )
    assert.ok([-ENOENT, -ENOSYS].includes(openat?.ret ?? 0))
    assert.equal(sendmsg?.socket?.remote, `127.0.0.1:${Number(result.stdout)}`, 'from a 32-bit msghdr')
  })

  it('of socketcall have the mode of the call that they stand for', async (test) => {
    const file = join(folder, 'modes')
    writeFileSync(file, '')
    const { events, result } = await observeWith({ ...recvs, socketcall: 'off', connect: 'off' }, 'compat', file)
    if (result.code === 2) return test.skip('this kernel has no 32-bit entry')
    assert.deepEqual(callsOf(events, 'connect'), [])
    assert.equal(callsOf(events, 'sendto').length, 2, 'both of socketcall')
    assert.deepEqual(callsOf(events, 'other'), [])
  })
})
