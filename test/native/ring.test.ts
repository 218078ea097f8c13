import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { callMode, eventField, type Lane, lane, lanes, recordKind, recordMaxBytes } from '../../bpf/event.ts'
import { readClocks } from '../../native/ring/clocks.ts'
import { readContract } from '../../native/ring/contract.ts'
import { Ring } from '../../native/ring/ring.ts'
import type { RingAccount } from '../../native/ring/ring-account.ts'
import type { RingOptions } from '../../native/ring/ring-options.ts'
import { callTable, modeTable } from '../../producer/source/call-tables.ts'
import { RawEvents } from '../../producer/source/raw-events.ts'
import { noMark } from '../../producer/source/source.ts'
import { RingsideError } from '../../runtime/errors.ts'
import { skip } from '../bpf/observe.ts'
import { kernelTimeoutMs, privateCode } from '../support/kernel.ts'
import { temporaryDirectory } from '../support/ringside.ts'

const account: RingAccount = { run: 'a-run', batch: 1, closed: [], declared: [], events: [] }
const options: RingOptions = {
  processRingBytes: 1 << 16,
  securityRingBytes: 1 << 16,
  ringBytes: 1 << 16,
  callOf: callTable(),
  modeOf: modeTable({ read: 'emit', write: 'emit' }),
  filter: { pids: [], comms: [], cgroups: [] },
  ignoreFamily: false
}

/** Programs, maps and links that this process holds open. */
const heldByThisProcess = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return /anon_inode:bpf/.test(readlinkSync(`/proc/self/fd/${fd}`))
    } catch {
      return false
    }
  }).length

/** Starts a thread that runs `code`, with Ring and workerData (its options) in scope, and then stays. */
const startWorker = async (code: string): Promise<Worker> => {
  const url = JSON.stringify(new URL('../../native/ring/ring.ts', import.meta.url))
  const text = `
    import { parentPort, workerData } from 'node:worker_threads'
    const { Ring } = await import(${url})
    ${code}
    parentPort.postMessage('running')
    setInterval(() => {}, 1000)`
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(text)}`), { workerData: options })
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  return worker
}

const untilReleased = async (before: number): Promise<void> => {
  for (let tries = 0; tries < 50 && heldByThisProcess() > before; tries++) await sleep(20)
  assert.equal(heldByThisProcess(), before)
}

const isError = (code: string, message: RegExp) => (error: unknown) =>
  error instanceof RingsideError && error.code === code && message.test(error.message)

describe('the ring', { skip, timeout: kernelTimeoutMs }, () => {
  it('loads, attaches, reads, and releases all descriptors', async () => {
    const before = heldByThisProcess()
    const ring = await Ring.open(options)
    assert.ok(heldByThisProcess() > before)
    execFileSync('true')
    await ring.detach()
    const batch = new Uint8Array(1 << 19)
    assert.equal(ring.ended, false)
    assert.ok(ring.read(batch) > 0)
    while (ring.read(batch) > 0);
    assert.equal(ring.ended, true)
    ring.close()
    assert.equal(heldByThisProcess(), before)
    assert.throws(() => ring.read(batch), /closed/)
  })

  it('does not block the event loop while it loads', async () => {
    let ticks = 0
    const timer = setInterval(() => ticks++, 1)
    const ring = await Ring.open(options)
    clearInterval(timer)
    ring.close()
    assert.ok(ticks > 3, `${ticks} ticks`)
  })

  it('can be open several times in a process, each with its own events', async () => {
    const rings = await Promise.all([Ring.open(options), Ring.open(options), Ring.open(options)])
    rings[0]?.close()
    execFileSync('true')
    const batch = new Uint8Array(1 << 19)
    assert.deepEqual(
      rings.slice(1).map((ring) => ring.read(batch) > 0),
      [true, true]
    )
    rings[2]?.close()
    execFileSync('true')
    assert.ok((rings[1]?.read(batch) ?? 0) > 0)
    rings[1]?.close()
  })

  it('can be detached by several callers at once', async () => {
    const ring = await Ring.open(options)
    await Promise.all([ring.detach(), ring.detach(), ring.detach()])
    const batch = new Uint8Array(1 << 19)
    while (ring.read(batch) > 0);
    assert.equal(ring.ended, true)
    ring.close()
  })

  it('is closed when its thread ends', async () => {
    const before = heldByThisProcess()
    const worker = await startWorker('globalThis.ring = await Ring.open(workerData)')
    assert.ok(heldByThisProcess() > before)
    await worker.terminate()
    await untilReleased(before)
  })

  it('is closed when its thread ends while it opens or detaches', async () => {
    const before = heldByThisProcess()
    for (let delayMs = 0; delayMs < 60; delayMs += 4) {
      const worker = await startWorker(
        'void (async () => { for (;;) { const ring = await Ring.open(workerData); await ring.detach(); ring.close() } })()'
      )
      await sleep(delayMs)
      await worker.terminate()
    }
    await untilReleased(before)
  })

  it('reads whole records, as many as fit', async () => {
    const ring = await Ring.open({ ...options, securityRingBytes: 1 << 20, ringBytes: 1 << 20 })
    for (let index = 0; index < 80; index++) execFileSync('true')
    await ring.detach()
    const counted = ring.statistics().cpus.reduce((sum, row) => sum + row.emitted.reduce((a, b) => a + b), 0)
    const small = new Uint8Array(4 * recordMaxBytes)
    const view = new DataView(small.buffer)
    let records = 0
    for (let bytes = ring.read(small); bytes > 0; bytes = ring.read(small)) {
      for (let at = 0; at < bytes; at += view.getUint32(at, true))
        if (view.getUint8(at + eventField.kind) !== recordKind.summary) records++
    }
    assert.equal(records, counted)
    ring.close()
    assert.throws(() => ring.read(new Uint8Array(4 * recordMaxBytes - 8)), /no room/)
  })

  it('reads the rings in order, and no call after an exec that has no room yet', async () => {
    const sizes = { processRingBytes: 1 << 20, securityRingBytes: 1 << 20, ringBytes: 1 << 20 }
    // One short call of each process, so that the other rings have room for more processes than the process ring.
    const modeOf = new Uint8Array(options.modeOf.length)
    modeOf[process.arch === 'x64' ? 218 : 96] = callMode.emit
    const filter = { pids: [], comms: ['true'], cgroups: [] }
    const ring = await Ring.open({ ...options, ...sizes, modeOf, filter })
    for (let index = 0; index < 600; index++) execFileSync('true')
    await ring.detach()
    const batch = new Uint8Array(4 * recordMaxBytes)
    const raw = new RawEvents(batch)
    const reads: { processNs: number[]; callNs: number[] }[] = []
    for (let bytes = ring.read(batch); bytes > 0; bytes = ring.read(batch)) {
      const read = { processNs: [] as number[], callNs: [] as number[] }
      let last = 0
      for (let at = 0; at < bytes; at += raw.u32(at)) {
        assert.ok(raw.lane(at) >= last, 'lane by lane')
        last = raw.lane(at)
        if (last === lane.process) read.processNs.push(raw.u64(at + eventField.timeNs))
        else if (last !== lane.summaries) read.callNs.push(raw.u64(at + eventField.timeNs))
      }
      reads.push(read)
    }
    const whole = reads.findLastIndex(({ processNs }) => processNs.length > 0)
    assert.ok(whole > 0, 'the first read had no room for all execs')
    for (const { processNs, callNs } of reads.slice(0, whole)) {
      assert.ok(callNs.length > 0)
      assert.ok(Math.max(...callNs) <= (processNs.at(-1) ?? 0))
    }
    ring.close()
  })

  it('frees room only on release, by positions that are sums of the field advance', async () => {
    const ring = await Ring.open({ ...options, filter: { pids: [], comms: ['true'], cgroups: [] } })
    const batch = new Uint8Array(1 << 20)
    const view = new DataView(batch.buffer)
    const raw = new RawEvents(batch)
    const mark = { ...noMark }
    const take = (): number => {
      const bytes = ring.read(batch)
      for (let at = 0; at < bytes; at += view.getUint32(at, true)) {
        const name = lanes[raw.lane(at)] as Lane
        const advance = view.getUint32(at + eventField.advance, true)
        assert.ok(name === 'summaries' ? advance === 1 : advance >= view.getUint32(at, true) + 8)
        mark[name] += advance
      }
      return bytes
    }
    for (let round = 0; round < 20; round++) {
      for (let index = 0; index < 10; index++) execFileSync('true')
      while (take() > 0);
      assert.ok(ring.pressure > 0)
      ring.release(mark, account)
      assert.ok(ring.pressure < 0.1, 'except for discarded records at the end')
    }
    await ring.detach()
    while (take() > 0);
    assert.equal(
      ring
        .statistics()
        .cpus.flatMap((row) => row.dropped)
        .reduce((a, b) => a + b),
      0
    )
    assert.throws(() => ring.release(noMark, account), /cannot release/)
    assert.throws(() => ring.release({ ...mark, process: mark.process + 8 }, account), /cannot release/)
    ring.close()
  })

  it('rejects invalid options with the reason', async (t) => {
    await assert.rejects(Ring.open({ ...options, ringBytes: 5000 }), isError('CONFIG', /5000 bytes.*power of two/))
    await assert.rejects(
      Ring.open({ ...options, modeOf: new Uint8Array(3) }),
      isError('CONFIG', /modeOf has 3 entries/)
    )
    const filter = { pids: [], comms: ['a-name-that-is-too-long'], cgroups: [] }
    await assert.rejects(Ring.open({ ...options, filter }), isError('CONFIG', /1 to 15 bytes/))
    await assert.rejects(
      Ring.open({ ...options, object: '/nowhere' }),
      isError('OS', /\/nowhere does not exist: build it with npm run build/)
    )
    const broken = join(temporaryDirectory(t, 'broken'), 'broken.o')
    writeFileSync(broken, 'not an object')
    await assert.rejects(Ring.open({ ...options, object: broken }), isError('OS', /\(open .*broken.*not a proper ELF/s))
    assert.throws(() => readContract(broken), isError('OS', /open .*broken.*not a proper ELF/s))
  })

  it('names the missing privileges', { skip: privateCode() }, () => {
    const script = `
      import { Ring } from ${JSON.stringify(join(import.meta.dirname, '..', '..', 'native', 'ring', 'ring.ts'))}
      process.setgroups([]); process.setgid(65534); process.setuid(65534)
      const table = (bytes) => new Uint8Array(bytes)
      const filter = { pids: [], comms: [], cgroups: [] }
      const options = { processRingBytes: 65536, securityRingBytes: 65536, ringBytes: 65536, callOf: table(2048), modeOf: table(2048), filter, ignoreFamily: false }
      await Ring.open(options).catch((error) => console.log(error.code, error.message))`
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    assert.match(output, /^NO_PERMISSION .*EPERM.*needs CAP_BPF and CAP_PERFMON: run as root/)
  })

  it('reads both clocks at the same moment', () => {
    const [earliestNs, earliestMs] = [process.hrtime.bigint(), Date.now()]
    const { monotonicNs, wallNs } = readClocks()
    const [latestNs, latestMs] = [process.hrtime.bigint(), Date.now()]
    assert.ok(monotonicNs >= earliestNs && monotonicNs <= latestNs)
    const wallMs = Number(wallNs / 1_000_000n)
    assert.ok(wallMs >= earliestMs && wallMs <= latestMs, `${wallMs} between ${earliestMs} and ${latestMs}`)
  })
})
