import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { constants, release, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it, type TestContext } from 'node:test'
import { callName } from '../../producer/source/call-names.ts'
import type { CallModes } from '../../producer/source/call-tables.ts'
import type { LiveSource } from '../../producer/source/live-source.ts'
import { kernelTimeoutMs } from '../support/kernel.ts'
import { Counts } from './counted.ts'
import { commOf, kindsOf, observe, program, run, type Seen, skip } from './observe.ts'

const folder = mkdtempSync(join(tmpdir(), 'ringside-test-'))
after(() => rmSync(folder, { recursive: true }))

const { EINVAL } = constants.errno
const uring = 768
const atCwd = -100
const operations = { nop: 0, connect: 16, openat: 18, close: 19, read: 22, renameat: 35, unlinkat: 36 }

const nothing = async (): Promise<void> => {}

/**
 * Runs programs/uring.c, which connects to a listener of this process.
 * @param then runs before the source is closed
 */
const submit = async (test: TestContext, calls: CallModes, then: (source: LiveSource) => Promise<void> = nothing) => {
  const place = join(folder, `${Math.random()}`)
  mkdirSync(place)
  writeFileSync(join(place, 'a'), '....')
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  try {
    const path = program('uring')
    const seen = await observe({ comms: [commOf('uring')], calls }, async (source) => {
      const outcome = await run(path, place, String(port))
      await then(source)
      return outcome
    })
    if (seen.result.code === 2) test.skip('this kernel has no io_uring')
    else assert.equal(seen.result.code, 0)
    assert.ok(seen.result.code === 2 || !existsSync(join(place, 'a')), 'the requests took effect')
    const [socket, file] = seen.result.stdout.split(' ').map(Number)
    return { ...seen, requests: kindsOf(seen.events, 'io_uring'), socket, file, place, remote: `127.0.0.1:${port}` }
  } finally {
    server.close()
  }
}

/** Since this version of Linux, the tracepoint of requests has the arguments that the programs read. */
const firstVersion = 6
const unseen =
  Number.parseInt(release(), 10) < firstVersion && `Linux ${release()} traces requests with other arguments`

const inOrder = (events: readonly Seen[]) => events.toSorted((a, b) => a.timeNs - b.timeNs)

/** Since Linux 6.10 the kernel isGiven addresses before the tracepoint of a request. */
const [major = 0, minor = 0] = release().split('.').map(Number)
const isGiven = major === 6 && minor < 10

describe('requests to io_uring', { skip: skip || unseen, timeout: kernelTimeoutMs }, () => {
  it('are emitted at their submission, with operation, descriptor, names and address', async (test) => {
    const emit = { io_uring_nop: 'emit', io_uring_read: 'emit' } as const
    const { events, requests, result, socket, file, place, remote } = await submit(test, emit)
    if (result.code === 2) return
    const { nop, connect, openat, close, read, renameat, unlinkat } = operations
    assert.deepEqual(
      inOrder(requests).map((event) => [event.call, event.arg, event.fd, event.path, event.extra, event.class]),
      [
        ['other', nop, -1, '', '', 'io'],
        ['openat', openat, atCwd, join(place, 'a'), '', 'file'],
        ['connect', connect, socket, '', '', 'network'],
        ['read', read, file, '', '', 'io'],
        ['read', read, -1, '', '', 'io'],
        ['renameat2', renameat, atCwd, join(place, 'a'), join(place, 'b'), 'file'],
        ['unlinkat', unlinkat, atCwd, join(place, 'b'), '', 'file'],
        ['close', close, socket, '', '', 'network']
      ]
    )
    for (const event of requests) {
      assert.deepEqual([event.nr, event.isCompat, event.ret, event.durationNs], [uring + event.arg, false, 0, 0])
      assert.deepEqual([event.pid, event.ppid, event.comm], [result.pid, process.pid, 'rs-uring'])
      assert.match(callName(event.nr, false), /^io_uring_/)
    }
    const [connecting] = requests.filter((event) => event.call === 'connect')
    assert.deepEqual([connecting?.socket?.family, connecting?.socket?.type, connecting?.socket?.remote], [2, 1, remote])
    const [closing] = requests.filter((event) => event.call === 'close')
    assert.equal(closing?.socket?.remote, remote)
    const [outcome] = kindsOf(events, 'connect_outcome')
    assert.deepEqual([outcome?.ret, outcome?.fd, outcome?.socket?.remote], [0, -1, remote], 'and its outcome')
  })

  it('carry addresses, registered files and flags, and an event each has its outcome', async (test) => {
    const file = join(folder, 'target')
    const link = join(folder, 'link')
    writeFileSync(file, '....')
    symlinkSync(file, link)
    const calls = { io_uring_socket: 'emit', io_uring_listen: 'emit', io_uring_read: 'emit' } as const
    const path = program('uring_sockets')
    const seen = await observe({ comms: [commOf('uring_sockets')], calls }, () => run(path, file, link))
    if (seen.result.code === 2) return test.skip('this kernel has no io_uring')
    assert.equal(seen.result.code, 0)
    const [first, ...lines] = seen.result.stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ').map(Number))
    const [port, client, listener] = first as number[]
    const server = `127.0.0.1:${port}`
    const any = '0.0.0.0:0'
    // An operation that the kernel does not have is no request.
    const results = lines.filter(([operation, ret]) => !(ret === -EINVAL && (operation === 56 || operation === 57)))
    const requests = inOrder(kindsOf(seen.events, 'io_uring'))
    const outcomes = inOrder(kindsOf(seen.events, 'io_uring_outcome'))
    // The kernel binds the client at its first send.
    const localOf = ({ arg, socket }: Seen) => ([56, 57, 13].includes(arg) ? socket?.local : '')
    const fieldsOf = (event: Seen) => [
      ...[event.arg, event.fd, event.reference, event.socket?.type ?? 0],
      ...[localOf(event), event.socket?.remote ?? '', event.isAddressGiven]
    ]
    const expected = [
      [45, -1, -1, 2, '', any, false],
      [56, listener, -1, 1, server, any, false],
      [57, listener, -1, 1, server, any, false],
      [26, client, -1, 2, '', server, isGiven],
      [9, client, -1, 2, '', server, isGiven],
      [9, -1, 1, 2, '', server, isGiven],
      [18, atCwd, 2, 0, '', '', false],
      [28, atCwd, -1, 0, '', '', false],
      [18, atCwd, -1, 0, '', '', false],
      [18, atCwd, -1, 0, '', '', false],
      [45, -1, 5, 1, '', any, false],
      [19, -1, 5, 1, '', any, false],
      [22, -1, 0, 0, '', '', false],
      [13, listener, 6, 1, server, any, false]
    ].filter(([operation]) => results.some(([known]) => known === operation))
    assert.deepEqual(requests.map(fieldsOf), expected)
    assert.deepEqual(
      outcomes.map(({ arg, ret }) => [arg, ret]),
      results
    )
    assert.deepEqual(
      outcomes.map(({ origin, originId }) => [origin, originId]),
      requests.map(({ cpu, seq }) => [cpu, seq])
    )
    assert.deepEqual(
      [requests[7]?.amount, outcomes[7]?.reference],
      [2, outcomes[7]?.ret],
      'resolve, and the chosen slot'
    )
    assert.deepEqual(
      outcomes.filter(({ arg }) => arg === 18 || arg === 28).map((event) => [event.path, event.isOpened]),
      [
        [file, true],
        [file, true],
        [file, true],
        ['', false]
      ]
    )
    assert.ok(outcomes.every((event) => event.durationNs > 0 && event.pid === seen.result.pid))
  })

  it('have modes of their own, by names that begin with io_uring_', async (test) => {
    const { requests, result, statistics } = await submit(test, { io_uring_connect: 'off', io_uring_unlinkat: 'count' })
    if (result.code === 2) return
    assert.deepEqual(
      inOrder(requests).map((event) => event.arg),
      [operations.openat, operations.renameat, operations.close]
    )
    assert.equal(statistics.counted?.file, 1, 'the unlinkat')
    assert.ok((statistics.counted?.io ?? 0) >= 3, 'the nop and the reads')
  })

  it('are counted by process and operation, without duration and errors', async (test) => {
    const calls = { io_uring_renameat: 'count', io_uring_unlinkat: 'count' } as const
    let counts: Counts | undefined
    const { result, statistics } = await submit(test, calls, (source) => {
      counts = new Counts(source)
      return counts.flip()
    })
    if (result.code === 2) return
    const { nop, read, renameat, unlinkat } = operations
    const rows = [nop, read, renameat, unlinkat].map((operation) => counts?.of(result.pid, uring + operation))
    assert.deepEqual(
      rows.map((row) => row?.count),
      [1, 2, 1, 1]
    )
    for (const row of rows) {
      assert.deepEqual([row?.errors, row?.totalNs, row?.bytes, row?.latencies.size], [0, 0, 0, 0])
    }
    assert.equal(statistics.uncounted, 0)
  })
})
