// Compares the encoder in C++ with the avsc one: the same records in the same reads give the same bytes.
// RINGSIDE_TEST_ROUNDS: number of random worlds, of about 20 batches each.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { eventField, eventVersion, recordKind } from '../../../bpf/event.ts'
import { loadCodec } from '../../../native/codec/codec.ts'
import { createAvscEncoder } from '../../../producer/encode/avsc-encoder.ts'
import type { BatchHeader } from '../../../producer/encode/batch-header.ts'
import type { BatchEncoder, BatchLimits, EncoderOptions, NameOfCall } from '../../../producer/encode/encoder.ts'
import { createNativeEncoder } from '../../../producer/encode/native-encoder.ts'
import type { Symbolizer } from '../../../producer/go/symbolizer.ts'
import { absentProc, type ProcessFacts, type ProcReader } from '../../../producer/proc.ts'
import { callName } from '../../../producer/source/call-names.ts'
import { openRecording } from '../../../producer/source/recording.ts'
import { schemaFingerprint } from '../../../wire/codec.ts'
import type { Stack } from '../../../wire/types.ts'
import { headerOf } from '../../support/batch-header.ts'
import { below, oneOf, randomEvent, randomSummary, randomWorld, type World } from '../../support/random-records.ts'
import { type RawEvent, type RawSocket, rawBuffer, rawEvent } from '../../support/raw-events.ts'
import { samples } from '../../support/records.ts'

const rounds = Number(process.env['RINGSIDE_TEST_ROUNDS'] ?? 150)

/**
 * Equal /proc readers for both encoders: some processes started when the world says, some at another time. Each read
 * returns another executable, so that an additional read by one encoder changes its bytes.
 */
const procOf = (world: World): (() => ProcReader) => {
  const facts = new Map<number, ProcessFacts>()
  for (const { pid, startNs } of world.processes) {
    const ticks = Number(startNs / 10_000_000n)
    const startTicks = oneOf([ticks, ticks, ticks, 7, Number.NaN])
    facts.set(pid | 0, { startTicks, exe: oneOf([null, '/usr/bin/é', '']), containerId: oneOf([null, 'f'.repeat(64)]) })
  }
  const present = [...facts].filter(() => Math.random() < 0.5)
  return () => {
    let reads = 0
    const read = (pid: number): ProcessFacts | undefined => {
      const known = facts.get(pid)
      return known && { ...known, exe: known.exe && `/read/${++reads}` }
    }
    return { read, scan: () => new Map(present) }
  }
}

/** Resolves most stacks, by their first address; results depend on the programs that started before. */
const symbolizerOf = (): Symbolizer => {
  const locations = new Map<string, Stack>()
  let started = 0
  return {
    programStarted: ({ pid, startNs, execId }) => {
      started += (pid >>> 0) + Number(startNs % 1000n) + execId
    },
    resolve: ({ pid, startNs, execId }, [first = 0, ...rest]) => {
      if (first % 5 === 0) return undefined
      const go_function = first % 7 === 0 ? null : `main.é${(started + pid + Number(startNs % 97n) + execId) % 50}`
      const location = {
        go_function,
        go_file: first % 3 === 0 ? null : `/src/${rest.length}`,
        go_line: rest.length % 9
      }
      const name = JSON.stringify(location)
      if (!locations.has(name)) locations.set(name, location)
      return locations.get(name)
    }
  }
}

const nameOfCall: NameOfCall = (nr, isCompat) => (nr % 5 === 0 ? undefined : `call_${isCompat ? 'é' : ''}${nr}`)

type PairOptions = Omit<EncoderOptions, 'buffer' | 'proc'> & {
  readonly proc: () => ProcReader
  readonly isWithSymbolizer?: boolean
}

/** Both encoders, each with its own buffer. */
class Pair {
  readonly #buffers: readonly [Uint8Array, Uint8Array]
  readonly #encoders: readonly [BatchEncoder, BatchEncoder]
  batches = 0

  constructor({ proc, isWithSymbolizer = false, ...options }: PairOptions, bufferBytes = 1 << 20) {
    const symbolizer = (): Symbolizer | undefined => (isWithSymbolizer ? symbolizerOf() : undefined)
    const [first, second] = [new Uint8Array(bufferBytes), new Uint8Array(bufferBytes)]
    this.#buffers = [first, second]
    this.#encoders = [
      createAvscEncoder({ ...options, proc: proc(), symbolizer: symbolizer(), buffer: first }),
      createNativeEncoder({ ...options, proc: proc(), symbolizer: symbolizer(), buffer: second })
    ]
  }

  /** Starts a read in both encoders, or asserts that both refuse it with the same error. */
  begin(bytes: Uint8Array): boolean {
    for (const buffer of this.#buffers) buffer.set(bytes)
    const [oracle, native] = this.#encoders.map((encoder) => {
      try {
        return encoder.begin(bytes.length)
      } catch (error) {
        return (error as Error).message
      }
    })
    assert.equal(native, oracle)
    return typeof oracle === 'number'
  }

  /** @returns true when the batch is full */
  add(): boolean {
    const [oracle, native] = this.#encoders
    const full = oracle.add()
    assert.equal(native.add(), full)
    assert.equal(native.count, oracle.count)
    assert.deepEqual(native.byClass, oracle.byClass)
    assert.deepEqual(native.progress, oracle.progress)
    return full
  }

  close(header: BatchHeader): void {
    const [expected, found] = this.#encoders.map((encoder) => encoder.encode(header)) as [Buffer, Buffer]
    this.batches++
    if (expected.equals(found)) return
    const at = expected.findIndex((byte, i) => byte !== found[i])
    const around = (bytes: Buffer): string => bytes.subarray(Math.max(0, at - 20), at + 20).toString('hex')
    assert.fail(`batch ${this.batches} differs at byte ${at}: ${around(expected)} and ${around(found)}`)
  }
}

const randomHeader = (): BatchHeader =>
  headerOf({
    clock: { monotonic_us: oneOf([0, 1, below(2 ** 40), 2 ** 53 - 2]), wall_us: 1_769_860_800_000_000 },
    ledger: Math.random() < 0.1 ? samples.EventBatch.ledger : null,
    continues: Math.random() < 0.1 ? samples.EventBatch.continues : null,
    drops: Math.random() < 0.1 ? samples.EventBatch.drops : [],
    sequences: samples.EventBatch.sequences
  })

const randomRead = (world: World, records: number): RawEvent[] => {
  const events = Array.from({ length: records }, () => randomEvent(world))
  const isSecurity = ({ class: eventClass }: RawEvent): boolean => eventClass <= 1
  const summaries = Array.from({ length: below(5) }, () => randomSummary(world))
  // Mostly as the rings give them; in any order otherwise.
  if (Math.random() < 0.2) return [...events, ...summaries].toSorted(() => Math.random() - 0.5)
  return [...events.filter(isSecurity), ...events.filter((event) => !isSecurity(event)), ...summaries]
}

const limitsOf = (): BatchLimits => ({
  events: oneOf([1, 7, 50, 1000]),
  bytes: oneOf([1, 3_000, 900_000])
})

const pump = (pair: Pair): void => {
  while (pair.add()) pair.close(randomHeader())
  if (Math.random() < 0.3) pair.close(randomHeader())
}

test('random records give the same bytes, for any split into reads and batches', { timeout: 600_000 }, () => {
  let batches = 0
  for (let round = 0; round < rounds; round++) {
    const world = randomWorld(1 + below(60), below(40))
    const isWithSymbolizer = round % 2 === 0
    const pair = new Pair({ limits: limitsOf(), proc: procOf(world), callName: nameOfCall, isWithSymbolizer })
    for (let reads = 1 + below(8); reads > 0; reads--) {
      assert.ok(pair.begin(rawBuffer(randomRead(world, below(120)))))
      pump(pair)
    }
    pair.close(randomHeader())
    batches += pair.batches
  }
  assert.ok(batches > 10 * rounds, `${batches} batches`)
})

test('full tables evict the same processes and sockets', { timeout: 600_000 }, () => {
  const startNs = 1_000_000_000n
  const pids = Array.from({ length: 36_000 }, (_, i) => i + 1)
  const processes = pids.map((pid) => ({ pid, startNs, ppid: 1, uid: 0, comm: '', cgroupId: 0n }))
  const socket = { ...(randomWorld(0, 1).sockets[0] as RawSocket), family: 2 }
  const limits = { events: 15_000, bytes: 2 ** 30 }
  const pair = new Pair({ limits, proc: procOf({ processes, sockets: [], stacks: [] }), callName: nameOfCall }, 1 << 24)
  const see = (pid: number): RawEvent => rawEvent({ pid, startNs, socket: { ...socket, netns: pid % 18_000 } })
  const add = (events: RawEvent[]): void => {
    for (let i = 0; i < events.length; i += 40_000) {
      assert.ok(pair.begin(rawBuffer(events.slice(i, i + 40_000))))
      pump(pair)
    }
  }
  add(pids.map(see))
  add(pids.map(() => see(oneOf(pids))))
  // Threads of more names than a process keeps rows of.
  add(Array.from({ length: 500 }, () => rawEvent({ pid: 1, startNs, comm: `thread-${below(70)}` })))
  add(pids.slice(0, 9_000).map((pid) => rawEvent({ class: 0, kind: recordKind.exit, pid, startNs })))
  add(pids.slice(0, 9_000).map(see))
  pair.close(randomHeader())
})

test('many names of many processes with long paths take little memory', () => {
  const buffer = new Uint8Array(1 << 20)
  const limits = { events: 100, bytes: 900_000 }
  const encoder = createNativeEncoder({ buffer, limits, proc: absentProc, callName })
  const before = process.memoryUsage().rss
  for (let pid = 1; pid <= 1_000; pid++) {
    const exec = rawEvent({ pid, class: 0, kind: recordKind.exec, path: `/${'x'.repeat(4_000)}` })
    const bytes = rawBuffer([exec, ...Array.from({ length: 64 }, (_, i) => rawEvent({ pid, comm: `thread-${i}` }))])
    buffer.set(bytes)
    encoder.begin(bytes.length)
    while (encoder.add()) encoder.encode(headerOf())
  }
  const megabytes = (process.memoryUsage().rss - before) / 2 ** 20
  // 64,000 rows, which with their paths are 256 MB.
  assert.ok(megabytes < 128, `${megabytes} MiB`)
})

test('both refuse the same damaged reads, and add nothing of them', () => {
  const world = randomWorld(20, 10)
  const limits = { events: 100, bytes: 900_000 }
  const options = { limits, proc: procOf(world), callName: nameOfCall, isWithSymbolizer: true }
  const lasting = new Pair(options)
  let refused = 0
  for (let round = 0; round < 20 * rounds; round++) {
    const bytes = rawBuffer(randomRead(world, 1 + below(6)))
    const place = below(bytes.length / 160) * 160 + oneOf([...Object.values(eventField), below(160)])
    for (let i = 0; i < 1 + below(3); i++) bytes[Math.min(bytes.length - 1, place + i)] = below(256)
    const length = Math.random() < 0.2 ? below(bytes.length) : bytes.length
    // A buffer that ends with the read lets a sanitizer detect reads beyond it.
    const pair = Math.random() < 0.3 ? new Pair(options, length) : lasting
    if (!pair.begin(bytes.subarray(0, length))) refused++
    pump(pair)
  }
  assert.ok(refused > rounds, `${refused} reads were refused`)
})

const recordings = join(import.meta.dirname, '../../../examples/recordings')

for (const name of readdirSync(recordings).filter((file) => file.endsWith('.rec'))) {
  test(`the recording ${name} gives the same bytes`, () => {
    const buffer = new Uint8Array(1 << 20)
    for (const events of [1, 10, 1_000]) {
      const source = openRecording(join(recordings, name))
      const pair = new Pair({ limits: { events, bytes: 900_000 }, proc: () => absentProc, callName })
      while (!source.ended) {
        const length = source.read(buffer)
        assert.ok(pair.begin(buffer.subarray(0, length)))
        pump(pair)
      }
      pair.close(randomHeader())
      source.close()
    }
  })
}

test('the addon is built for the current schema and records', () => {
  assert.equal(loadCodec().schema, schemaFingerprint('EventBatch'))
  assert.equal(loadCodec().eventVersion, eventVersion)
})
