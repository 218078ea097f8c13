// The C++ decoder against avsc and columnsOf(): the same messages give the same columns, damaged messages are refused.
// RINGSIDE_TEST_ROUNDS sets the number of rounds with random records and random damage.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createColumnDecoder } from '../../../consumer/loop/column-decoder.ts'
import { loadCodec } from '../../../native/codec/codec.ts'
import { createAvscEncoder } from '../../../producer/encode/avsc-encoder.ts'
import { absentProc } from '../../../producer/proc.ts'
import { callName } from '../../../producer/source/call-names.ts'
import { openRecording } from '../../../producer/source/recording.ts'
import { RingsideError } from '../../../runtime/errors.ts'
import { avroType, canonicalForm } from '../../../wire/avro-type.ts'
import { decode, encode, schemaFingerprint } from '../../../wire/codec.ts'
import type { ColumnBatch } from '../../../wire/columns.ts'
import { columnsOf } from '../../../wire/columns-of.ts'
import { fingerprintOf } from '../../../wire/fingerprint.ts'
import type { EventBatch } from '../../../wire/types.ts'
import { headerOf } from '../../support/batch-header.ts'
import { trimmed } from '../../support/columns.ts'
import { testLog } from '../../support/log.ts'
import {
  below,
  oneOf,
  randomEvent,
  randomSummary,
  randomText,
  randomWorld,
  type World
} from '../../support/random-records.ts'
import { rawBuffer } from '../../support/raw-events.ts'
import { samples } from '../../support/records.ts'

const rounds = Number(process.env['RINGSIDE_TEST_ROUNDS'] ?? 100)
const decodeColumns = createColumnDecoder(testLog)

const oracle = (bytes: Buffer): ColumnBatch => columnsOf(decode('EventBatch', bytes))

const assertSame = (bytes: Buffer): void => assert.deepEqual(trimmed(decodeColumns(bytes)), oracle(bytes))

const refused = (decodeOne: () => unknown): boolean => {
  try {
    decodeOne()
    return false
  } catch (error) {
    if (error instanceof RingsideError && error.code === 'DATA') return true
    throw error
  }
}

const text = (): string | null => oneOf([null, randomText().toString()])

const randomBatch = (world: World, records: number): EventBatch => {
  const buffer = new Uint8Array(1 << 20)
  const limits = { events: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY }
  const encoder = createAvscEncoder({ buffer, limits, proc: absentProc, callName })
  const raw = [
    ...Array.from({ length: records }, () => randomEvent(world)),
    ...Array.from({ length: below(20) }, () => randomSummary(world))
  ]
  const bytes = rawBuffer(raw)
  buffer.set(bytes)
  encoder.begin(bytes.length)
  encoder.add()
  const { ledger, continues, drops } = samples.EventBatch
  const header = headerOf({
    ledger: oneOf([null, ledger]),
    continues: oneOf([null, continues]),
    drops: oneOf([[], drops])
  })
  const batch = decode('EventBatch', encoder.encode(header))
  batch.stacks = Array.from({ length: below(4) }, () => ({ go_function: text(), go_file: text(), go_line: below(999) }))
  for (const event of batch.events) event.stack = below(batch.stacks.length + 1) - 1
  return batch
}

test('random batches, long and short ones in turn, give the same columns', { timeout: 600_000 }, () => {
  for (let round = 0; round < rounds; round++) {
    const world = randomWorld(1 + below(60), below(40))
    for (let batches = 0; batches < 5; batches++)
      assertSame(encode('EventBatch', randomBatch(world, oneOf([0, 1, 9, 300]))))
  }
})

test('a batch with every field set and a batch without rows give the same columns', () => {
  const { EventBatch: sample } = samples
  assertSame(encode('EventBatch', sample))
  assertSame(encode('EventBatch', { ...sample, processes: [], stacks: [], events: [], summaries: [], ledger: null }))
})

const recordings = join(import.meta.dirname, '../../../examples/recordings')

for (const name of readdirSync(recordings).filter((file) => file.endsWith('.rec'))) {
  test(`the recording ${name} gives the same columns`, () => {
    const buffer = new Uint8Array(1 << 20)
    const source = openRecording(join(recordings, name))
    const limits = { events: 100, bytes: 900_000 }
    const encoder = createAvscEncoder({ buffer, limits, proc: absentProc, callName })
    while (!source.ended) {
      encoder.begin(source.read(buffer))
      while (encoder.add()) assertSame(encoder.encode(headerOf()))
    }
    assertSame(encoder.encode(headerOf()))
    source.close()
  })
}

test('arrays in several blocks, with and without block sizes, are decoded whole', () => {
  const bare = { ...samples.EventBatch, events: [], summaries: [], ledger: null }
  const whole = encode('EventBatch', bare)
  // No events, no summaries, no ledger: a byte each.
  const before = whole.subarray(0, -3)
  const rows = samples.EventBatch.events.map((event) =>
    encode('EventBatch', { ...bare, events: [event] }).subarray(before.length + 1, -3)
  )
  const [first, second, third] = rows as [Buffer, Buffer, Buffer]
  const size = first.length + second.length
  // A block of -2 (two, and their size follows), one of 1, and the end.
  const sizeBytes = Buffer.from([((2 * size) & 0x7f) | 0x80, (2 * size) >> 7])
  const blocks = Buffer.concat([Buffer.from([3]), sizeBytes, first, second, Buffer.from([2]), third, Buffer.from([0])])
  const message = Buffer.concat([before, blocks, Buffer.from([0, 0])])
  assert.deepEqual(oracle(message).events.length, 3)
  assertSame(message)
})

test('a truncated message is refused, and the next one is decoded', () => {
  const message = encode('EventBatch', samples.EventBatch)
  for (let length = 0; length < message.length; length++) {
    assert.ok(
      refused(() => decodeColumns(Buffer.from(message.subarray(0, length)))),
      `${length} bytes`
    )
  }
  assert.ok(refused(() => decodeColumns(Buffer.concat([message, Buffer.from([0])]))))
  assertSame(message)
})

/** avsc rounds numbers below this one, and never writes them. */
const least = -(2 ** 52)

const isExact = ({ events, summaries }: ColumnBatch): boolean =>
  [...Object.values(events), ...Object.values(summaries)].every(
    (column) => !(column instanceof Float64Array) || column.every((value) => value >= least)
  )

/** When the C++ decoder accepts a damaged message, avsc must decode it to the same columns. */
const tryDamaged = (message: Buffer): boolean => {
  let found: ColumnBatch | undefined
  const isRefused = refused(() => {
    found = trimmed(decodeColumns(message))
  })
  if (found !== undefined && isExact(found)) assert.deepEqual(found, oracle(message))
  return isRefused
}

test('a message with one changed byte is refused or decoded as avsc decodes it', () => {
  const message = encode('EventBatch', samples.EventBatch)
  let refusals = 0
  for (let place = 10; place < message.length; place++) {
    for (const mask of [0xff, 0x80, 0x01, 0x40]) {
      const damaged = Buffer.from(message)
      damaged[place] = (damaged[place] as number) ^ mask
      if (tryDamaged(damaged)) refusals++
    }
  }
  assert.ok(refusals > message.length / 2, `${refusals} messages were refused`)
  assertSame(message)
})

test('a randomly damaged batch is refused or decoded as avsc decodes it', { timeout: 600_000 }, () => {
  for (let round = 0; round < rounds; round++) {
    const message = encode('EventBatch', randomBatch(randomWorld(5, 3), 20))
    for (let i = 0; i < 20; i++) {
      // A separate buffer, so that a sanitizer sees reads beyond its end.
      const damaged = Buffer.from(message.subarray(0, Math.random() < 0.3 ? below(message.length) : message.length))
      for (let bytes = 1 + below(3); bytes > 0 && damaged.length > 10; bytes--) {
        damaged[10 + below(damaged.length - 10)] = oneOf([0, 0xff, 0x80, 0x7f, below(256)])
      }
      tryDamaged(damaged)
    }
  }
})

const withEvents = (...claim: number[]): Buffer => {
  const message = encode('EventBatch', { ...samples.EventBatch, events: [], summaries: [], ledger: null })
  return Buffer.concat([message.subarray(0, -3), Buffer.from(claim), Buffer.alloc(100)])
}

test('impossible lengths and numbers are refused, with their offset and without allocating memory for them', () => {
  const most = [0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f]
  const cases: [number[], RegExp][] = [
    [most, /more items than there are bytes at byte \d+/],
    [[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x02], /a number of more than 64 bits at byte/],
    [[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], /a number beyond 2\^53/],
    [[1, 1], /a block beyond the end/],
    [[1, ...most], /a block beyond the end/],
    [[2, 18], /no symbol or branch of the schema/],
    [[2, 2, 2, 0x80, 0x80, 0x80, 0x80, 0x10], /a number beyond 2\^31/]
  ]
  const before = process.memoryUsage().arrayBuffers
  for (const [claim, message] of cases)
    assert.throws(() => decodeColumns(withEvents(...claim)), { code: 'DATA', message })
  assert.ok(process.memoryUsage().arrayBuffers - before < 1 << 20)
})

test('rows of tens of thousands of processes are decoded, beyond the bound on cached rows', () => {
  const [first] = samples.EventBatch.processes
  assert.ok(first !== undefined)
  for (const comm of ['a', 'b', 'a']) {
    const processes = Array.from({ length: 20_000 }, (_, pid) => ({ ...first, pid, comm }))
    assertSame(encode('EventBatch', { ...samples.EventBatch, processes }))
  }
})

test('equal rows of two messages are the same object', () => {
  const message = encode('EventBatch', samples.EventBatch)
  const [process] = decodeColumns(message).processes
  const next = encode('EventBatch', {
    ...samples.EventBatch,
    batch: 8,
    processes: samples.EventBatch.processes.toReversed()
  })
  assert.equal(decodeColumns(next).processes[1], process)
})

test('columns whose memory was transferred to another thread are allocated again', () => {
  const message = encode('EventBatch', samples.EventBatch)
  const { seq, kind } = decodeColumns(message).events
  structuredClone([seq, kind], { transfer: [seq.buffer, kind.buffer] as ArrayBuffer[] })
  assertSame(message)
})

test('batches of every earlier schema are decoded', () => {
  const history = join(import.meta.dirname, '../../../schemas/history/event_batch')
  for (const file of readdirSync(history)) {
    const type = avroType(JSON.parse(readFileSync(join(history, file), 'utf8')) as object)
    const { continues: _, ...batch } = samples.EventBatch
    const body = type.toBuffer({ ...batch, continues: null })
    const header = Buffer.concat([Buffer.from([0xc3, 1]), fingerprintOf(canonicalForm(type))])
    assertSame(Buffer.concat([header, body]))
  }
})

test('without the addon, or with one for another schema, avsc decodes and one warning is logged', () => {
  const warnings: string[] = []
  const log = { ...testLog, warn: (message: string) => warnings.push(message) } as unknown as typeof testLog
  const missing = createColumnDecoder(log, () => {
    throw new Error('no such file')
  })
  const other = createColumnDecoder(log, () => ({ ...loadCodec(), schema: '0123456789abcdef' }))
  const message = encode('EventBatch', samples.EventBatch)
  for (const decodeOne of [missing, other]) assert.deepEqual(decodeOne(message), oracle(message))
  assert.equal(warnings.length, 1)
  assert.match(warnings[0] ?? '', /no such file; decoding with avsc.*build the addon with `npm run build`/)
})

test('the addon has the fingerprint of the current schema', () => {
  assert.equal(loadCodec().schema, schemaFingerprint('EventBatch'))
})
