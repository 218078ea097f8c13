import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { lanes, recordKind } from '../../bpf/event.ts'
import { Ring } from '../../native/ring/ring.ts'
import type { RingAccount, RingMark } from '../../native/ring/ring-account.ts'
import type { RingOptions } from '../../native/ring/ring-options.ts'
import { callTable, modeTable } from '../../producer/source/call-tables.ts'
import { noMark } from '../../producer/source/source.ts'
import { commOf, pidsAreGiven, program, skip, succeed } from '../bpf/observe.ts'
import { type Bpffs, bpffsMissing, mountBpffs } from '../support/bpffs.ts'
import { privateCode } from '../support/kernel.ts'
import { eventually } from '../support/ringside.ts'
import { optionsToText, type ReadBatch, type ReadRecord, readBatch } from './edge-that-dies.ts'

/** Number of write(2). */
const write = process.arch === 'arm64' ? 64 : 1
const code = join(import.meta.dirname, 'edge-that-dies.ts')

const skipWithoutBpffs = skip || bpffsMissing()

let folder = ''
let pinDir = ''
let bpffs: Bpffs
const children: ChildProcess[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringside-takeover-'))
  bpffs = mountBpffs()
  pinDir = join(bpffs.folder, 'pins')
})

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  rmSync(folder, { recursive: true })
  bpffs.unmount()
})

const optionsWith = (over: Partial<RingOptions> & { readonly calls?: Record<string, 'emit' | 'count' | 'off'> }) => {
  const { calls = { write: 'emit' }, ...rest } = over
  const options: RingOptions = {
    processRingBytes: 1 << 20,
    securityRingBytes: 1 << 20,
    ringBytes: 1 << 22,
    callOf: callTable(),
    modeOf: modeTable(calls),
    filter: { pids: [], comms: [commOf('flood')], cgroups: [] },
    ignoreFamily: false,
    pinDir,
    ...rest
  }
  return options
}

const start = (command: string, ...args: string[]): ChildProcess => {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  children.push(child)
  return child
}

const kill = async (child: ChildProcess): Promise<void> => {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

/** Starts an edge and waits until it has read. The first line of its log is the mark that it started at. */
const startEdge = async (options: RingOptions, log: string) => {
  const edge = start(process.execPath, code, optionsToText(options), log)
  for (let tries = 0; !existsSync(log) || readFileSync(log, 'utf8').split('\n').length < 8; tries++) {
    assert.ok(tries < 3000 && edge.exitCode === null, 'the edge does not read')
    await sleep(20)
  }
  return edge
}

/** Starts an edge as a child of a shell, and returns its pid with the shell. */
const startEdgeBelow = async (options: RingOptions, log: string) => {
  const shell = start('sh', '-c', '"$0" "$@"; true', process.execPath, code, optionsToText(options), log)
  const edge = await eventually('an edge that reads', 60, () => {
    const isReading = existsSync(log) && readFileSync(log, 'utf8').includes('\n')
    return isReading ? Number(readFileSync(`/proc/${shell.pid}/task/${shell.pid}/children`, 'utf8').trim()) : undefined
  })
  return { shell, edge }
}

/** Skips a line that a kill cut off: nothing of that read was released. */
const batchesOf = (log: string): (ReadBatch & { notes?: string[] })[] =>
  readFileSync(log, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as ReadBatch]
      } catch {
        return []
      }
    })

const isReleased = (mark: RingMark, begin: RingMark): boolean => lanes.every((name) => mark[name] <= begin[name])

const emptyAccount: RingAccount = { run: 'successor', batch: 1, closed: [], declared: [], events: [] }

/** Detaches, then reads and releases everything. */
const readToEnd = async (ring: Ring): Promise<ReadRecord[]> => {
  const into = new Uint8Array(1 << 20)
  const records: ReadRecord[] = []
  let mark = ring.begin
  const drain = (): void => {
    for (;;) {
      const batch = readBatch(ring, into, mark)
      if (batch.records.length === 0) return
      mark = batch.mark
      records.push(...batch.records)
      ring.release(mark, emptyAccount)
    }
  }
  await ring.detach()
  while (!ring.ended) drain()
  ring.release(mark, emptyAccount)
  return records
}

/** Asserts that the records of all edges have every seq once, except for declared drops. */
const assertWhole = (records: readonly ReadRecord[], ring: Ring): void => {
  const { cpus, summaries } = ring.statistics()
  let missing = 0
  for (const { cpu, before, last } of [...cpus, { cpu: 1024, ...summaries }]) {
    const seqs = records.filter((record) => record.cpu === cpu).map(({ seq }) => seq)
    assert.equal(new Set(seqs).size, seqs.length, `no seq of CPU ${cpu} is duplicated`)
    assert.ok(seqs.every((seq) => seq > before && seq <= last))
    missing += last - before - seqs.length
    if (cpu === 1024) assert.equal(seqs.length, last - before)
  }
  const dropped = cpus.flatMap((row) => row.dropped).reduce((a, b) => a + b)
  assert.equal(missing, dropped, 'missing events are counted as dropped')
}

describe('the programs of a killed edge', { skip: skipWithoutBpffs || pidsAreGiven(), timeout: 240_000 }, () => {
  it('observe the process that gets its pid, or that of its family', async () => {
    const options = optionsWith({ ignoreFamily: true })
    const { shell, edge } = await startEdgeBelow(options, join(folder, 'log'))
    process.kill(edge, 'SIGKILL')
    if (shell.exitCode === null) await once(shell, 'exit')
    const flood = program('flood')
    const family = shell.pid as number
    await succeed(edge, flood, '10')
    await succeed(family, flood, '10')
    await succeed(family, '/bin/sh', '-c', `${flood} 10; true`)
    const ring = await Ring.open(options)
    const records = await readToEnd(ring)
    ring.close()
    const writes = Map.groupBy(
      records.filter(({ nr, kind }) => nr === write && kind === recordKind.syscall),
      ({ pid }) => pid
    )
    assert.deepEqual(
      [...writes.values()].map((calls) => calls.length),
      [10, 10, 10]
    )
    assert.ok(writes.has(edge) && writes.has(family))
  })
})

describe('a successor', { skip: skipWithoutBpffs, timeout: 240_000 }, () => {
  for (const { name, calls, loops } of [
    {
      name: 'reads every record that its dead predecessors did not release, and no other, ten times in a row',
      calls: 'emit',
      loops: 1e6
    },
    {
      name: 'reads every count that its dead predecessors did not release, and no other, ten times in a row',
      calls: 'count',
      loops: 3e6
    }
  ] as const) {
    it(name, async () => {
      const options = optionsWith({ calls: { write: calls } })
      const logs: string[] = []
      const flood = program('flood')
      let writer: ChildProcess | undefined
      // Loads once, since that takes seconds; the edges below take over.
      const loader = await Ring.open(options)
      loader.close()
      for (let round = 0; round < 10; round++) {
        const log = join(folder, `log-${round}`)
        logs.push(log)
        const edge = await startEdge(options, log)
        writer ??= start(flood, String(loops))
        await sleep(20 + Math.random() * 60)
        await kill(edge)
      }
      const ring = await Ring.open(options)
      assert.match(ring.notes.join(), /taken over from a dead edge/)
      assert.equal(ring.previous?.run.startsWith('run-'), true)
      if (writer?.exitCode === null) await once(writer as ChildProcess, 'exit')
      const last = await readToEnd(ring)
      const begins = [...logs.slice(1).map((log) => batchesOf(log)[0]?.mark), ring.begin]
      const records = logs.flatMap((log, index) =>
        batchesOf(log)
          .filter(({ mark }) => isReleased(mark, begins[index] as RingMark))
          .flatMap((batch) => batch.records)
      )
      assert.ok(records.length > 0, 'something was released')
      assertWhole([...records, ...last], ring)
      if (calls === 'count') {
        const counted = [...records, ...last].filter(({ nr, pid }) => pid === writer?.pid && nr === write)
        const uncounted = ring.statistics().cpus.reduce((sum, row) => sum + row.uncounted, 0)
        assert.equal(uncounted, 0)
        assert.equal(
          counted.reduce((sum, row) => sum + row.calls, 0),
          loops
        )
      }
      ring.close()
      assert.deepEqual(readdirSync(pinDir), [])
    })
  }
})

describe('pins', { skip: skipWithoutBpffs, timeout: 60_000 }, () => {
  it('belong to a running edge: a second edge runs without pins', async () => {
    const first = await Ring.open(optionsWith({}))
    const second = await Ring.open(optionsWith({}))
    assert.deepEqual(first.notes, [])
    assert.match(second.notes.join(), /nothing is pinned, a successor cannot take over: another edge uses/)
    execFileSync(program('flood'), ['100'])
    for (const ring of [second, first]) {
      const records = await readToEnd(ring)
      assert.equal(records.filter(({ kind }) => kind === recordKind.syscall).length, 100)
      ring.close()
    }
    assert.deepEqual(readdirSync(pinDir), [])
  })

  it('are not created without a bpffs, with a note that says so', async () => {
    const ring = await Ring.open(optionsWith({ pinDir: join(folder, 'pins') }))
    assert.match(ring.notes.join(), /is no bpffs: mount one there/)
    ring.close()
  })

  it('are not created in a folder of another user, with a note that says so', async () => {
    const theirs = `${pinDir}-theirs`
    mkdirSync(theirs)
    chownSync(theirs, 12_345, 12_345)
    const ring = await Ring.open(optionsWith({ pinDir: theirs }))
    assert.match(
      ring.notes.join(),
      /belongs to user 12345, who could remove or open the pins: remove the folder, or set edge.pinDir/
    )
    ring.close()
    assert.deepEqual(readdirSync(theirs), [])
  })

  it('remain after a close without detach, and collect events for a successor', async () => {
    const first = await Ring.open(optionsWith({}))
    first.close()
    assert.ok(readdirSync(pinDir).includes('released'))
    execFileSync(program('flood'), ['100'])
    const second = await Ring.open(optionsWith({ ringBytes: 1 << 16 }))
    assert.equal(second.previous, undefined)
    assert.match(second.notes.join(), /the rings keep the sizes.*taken over/s)
    const records = await readToEnd(second)
    assert.equal(records.filter(({ kind }) => kind === recordKind.syscall).length, 100)
    assertWhole(records, second)
    second.close()
  })

  it('get the configuration of the edge that takes them over', async () => {
    const first = await Ring.open(optionsWith({ filter: { pids: [1, 2], comms: ['nobody'], cgroups: [3n] } }))
    first.close()
    execFileSync(program('flood'), ['10'])
    const second = await Ring.open(optionsWith({}))
    execFileSync(program('flood'), ['100'])
    const records = await readToEnd(second)
    assert.equal(records.filter(({ kind }) => kind === recordKind.syscall).length, 100)
    second.close()
  })

  it('that an edge left while it created or removed them are replaced', async () => {
    const first = await Ring.open(optionsWith({}))
    first.close()
    rmSync(join(pinDir, 'released'))
    assert.ok(readdirSync(pinDir).length > 10)
    const second = await Ring.open(optionsWith({}))
    assert.deepEqual(second.notes, [])
    await readToEnd(second)
    second.close()
    assert.deepEqual(readdirSync(pinDir), [])
  })

  it('are removed after a detach, also by an unprivileged user', { skip: privateCode() }, () => {
    const root = join(import.meta.dirname, '..', '..')
    const script = `
      import { Ring } from ${JSON.stringify(join(root, 'native', 'ring', 'ring.ts'))}
      import { futureUser, preparePrivilegeDrop } from ${JSON.stringify(join(root, 'producer', 'privileges.ts'))}
      import { optionsFrom } from ${JSON.stringify(code)}
      const drop = preparePrivilegeDrop('nobody')
      const options = optionsFrom(${JSON.stringify(optionsToText(optionsWith({ measureCost: true })))})
      const ring = await Ring.open({ ...options, pinOwner: futureUser('nobody') })
      drop()
      const before = ring.programTimeNs()
      for (let i = 0; i < 1000; i++) process.getgid()
      console.log(ring.programTimeNs() > before, ring.statistics().skipped >= 0)
      await ring.detach()
      ring.close()`
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    assert.equal(output, 'true true\n')
    assert.deepEqual(readdirSync(pinDir), [])
    rmdirSync(pinDir)
  })
})

describe('an upgrade', { skip: skipWithoutBpffs, timeout: 60_000 }, () => {
  const build = (change: (text: string) => string): string => {
    const source = join(folder, 'source')
    const root = join(import.meta.dirname, '..', '..')
    execFileSync('cp', ['-r', join(root, 'bpf'), source])
    const event = join(source, 'event.h')
    writeFileSync(event, change(readFileSync(event, 'utf8')))
    const maps = join(source, 'maps.h')
    writeFileSync(maps, change(readFileSync(maps, 'utf8')))
    const clang = execFileSync('sh', ['-c', 'ls /usr/bin/clang /usr/bin/clang-[0-9]* 2>/dev/null | tail -1'])
    const built = join(folder, 'other.bpf.o')
    const arch = process.arch === 'arm64' ? 'arm64' : 'x86'
    const flags = ['-O2', '-g', '-target', 'bpf', '-mcpu=v3', `-D__TARGET_ARCH_${arch}`]
    const includes = ['-I', join(root, 'native/third_party/libbpf/src')]
    execFileSync(String(clang).trim(), [...flags, ...includes, '-c', join(source, 'ringside.bpf.c'), '-o', built])
    return built
  }

  it('to other programs keeps rings, counters and account, and duplicates no event', async () => {
    const other = build((text) => text.replace('max_entries, 16384', 'max_entries, 8192'))
    const log = join(folder, 'log')
    const edge = await startEdge(optionsWith({}), log)
    const writer = start(program('flood'), '2000000')
    await sleep(50)
    await kill(edge)
    const ring = await Ring.open(optionsWith({ object: other }))
    assert.match(ring.notes.join(), /with other programs/)
    if (writer.exitCode === null) await once(writer, 'exit')
    const last = await readToEnd(ring)
    const released = batchesOf(log)
      .filter(({ mark }) => isReleased(mark, ring.begin))
      .flatMap((batch) => batch.records)
    assertWhole([...released, ...last], ring)
    const calls = ring.statistics().cpus.reduce((sum, row) => sum + (row.emitted[3] ?? 0) + (row.dropped[3] ?? 0), 0)
    assert.ok(calls <= 2_000_000 && calls > 1_999_000, `${calls} of 2,000,000 calls`)
    ring.close()
    assert.deepEqual(readdirSync(pinDir), [])
  })

  it('to programs that cannot use the rings continues the seqs, with a gap for the lost events', async () => {
    const other = build((text) => text.replace('__u32 counts[32];', '__u32 counts[32];\n__u64 more;'))
    const first = await Ring.open(optionsWith({ object: other }))
    execFileSync(program('flood'), ['100'])
    const { mark, records } = readBatch(first, new Uint8Array(1 << 20), first.begin)
    first.release(mark, {
      ...emptyAccount,
      run: 'first',
      batch: 3,
      declared: [1, 0, 0, 2],
      events: [0, 0, 0, records.length]
    })
    execFileSync(program('flood'), ['50'])
    const lost = first.statistics()
    first.close()

    const ring = await Ring.open(optionsWith({}))
    assert.match(ring.notes.join(), /rings cannot be kept: its unreleased events are lost/)
    assert.deepEqual(ring.begin, noMark)
    assert.deepEqual(ring.previous, {
      ...emptyAccount,
      run: 'first',
      batch: 3,
      declared: [0, 0, 0, 0],
      events: [1, 0, 0, records.length + 2]
    })
    execFileSync(program('flood'), ['200'])
    const read = await readToEnd(ring)
    assert.equal(read.filter(({ kind }) => kind === recordKind.syscall).length, 200)
    for (const { cpu, before, last } of ring.statistics().cpus) {
      const old = lost.cpus.find((row) => row.cpu === cpu)
      assert.equal(before, old?.before)
      const seqs = read.filter((record) => record.cpu === cpu).map(({ seq }) => seq)
      assert.equal(last - (old?.last ?? 0), seqs.length)
      assert.ok(seqs.every((seq) => seq > (old?.last ?? 0)))
    }
    ring.close()
    assert.deepEqual(readdirSync(pinDir), [])
  })

  it('to programs that cannot use the groups never reuses the seq of a summary that was read', async () => {
    const other = build((text) => text.replace('__u32 reserved[15];', '__u32 reserved[31];'))
    const calls = { write: 'count' } as const
    const first = await Ring.open(optionsWith({ object: other, calls }))
    execFileSync(program('flood'), ['100'])
    assert.equal(await first.summarize(), true)
    const { mark, records } = readBatch(first, new Uint8Array(1 << 20), first.begin)
    const before = records.filter(({ kind }) => kind === recordKind.summary)
    assert.ok(before.length > 0)
    first.release({ ...mark, summaries: 0 }, { ...emptyAccount, run: 'first' })
    first.close()

    const ring = await Ring.open(optionsWith({ calls }))
    assert.equal(ring.begin.summaries, before.length)
    execFileSync(program('flood'), ['200'])
    const read = (await readToEnd(ring)).filter(({ kind }) => kind === recordKind.summary)
    assert.ok(read.length > 0)
    assert.equal(read[0]?.seq, (before.at(-1)?.seq ?? 0) + 1)
    ring.close()
  })
})
