import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { release, tmpdir } from 'node:os'
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
