// Message values: golden bytes of each schema, refused messages, and compatibility with another Avro library.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { RingsideError } from '../../runtime/errors.ts'
import { decode, encode, type Records, type SchemaName, schemaFiles } from '../../wire/codec.ts'
import { pythonWith } from '../support/python.ts'
import { samples } from '../support/records.ts'

const names = Object.keys(schemaFiles) as SchemaName[]
const goldenDir = join(import.meta.dirname, 'golden')
const schemasDir = join(import.meta.dirname, '../../schemas')

/** RINGSIDE_UPDATE_GOLDEN=1 rewrites the files; a change in them is a change of the wire format. */
const golden = (name: SchemaName, bytes: Buffer): string => {
  const path = join(goldenDir, `${schemaFiles[name]}.hex`)
  const lines = `${(bytes.toString('hex').match(/.{1,120}/g) ?? []).join('\n')}\n`
  if (process.env['RINGSIDE_UPDATE_GOLDEN']) writeFileSync(path, lines)
  return readFileSync(path, 'utf8').replaceAll('\n', '')
}

const roundTrip = <N extends SchemaName>(name: N, value: Records[N]): Records[N] => decode(name, encode(name, value))

for (const name of names) {
  test(`a message of ${name} has the bytes of its golden file`, () => {
    assert.equal(encode(name, samples[name]).toString('hex'), golden(name, encode(name, samples[name])))
  })

  test(`a message of ${name} decodes to plain objects equal to the encoded ones`, () => {
    assert.deepStrictEqual(roundTrip(name, samples[name]), samples[name])
  })

  test(`a message of ${name} that is truncated anywhere is refused`, () => {
    const bytes = encode(name, samples[name])
    for (let length = 0; length < bytes.length; length++) {
      assert.throws(
        () => decode(name, bytes.subarray(0, length)),
        (error) => error instanceof RingsideError && error.code === 'DATA' && error.message.includes(name)
      )
    }
  })

  test(`a message of ${name} with any byte changed is decoded or refused with a DATA error`, () => {
    const bytes = encode(name, samples[name])
    for (let at = 0; at < bytes.length; at++) {
      for (const value of [0x00, 0x01, 0x7f, 0x80, 0xff]) {
        const changed = Buffer.from(bytes)
        changed[at] = value
        try {
          decode(name, changed)
        } catch (error) {
          assert.ok(error instanceof RingsideError && error.code === 'DATA', String(error))
        }
      }
    }
  })
}

test('a value that is no Ringside message is refused with the reason', () => {
  const bytes = encode('Rollup', samples.Rollup)
  const refused = (message: Buffer, reason: RegExp): void => {
    assert.throws(() => decode('Rollup', message), { name: 'RingsideError', code: 'DATA', message: reason })
  }
  refused(Buffer.alloc(0), /0 bytes starts with nothing/)
  refused(Buffer.from('{"host":"h"}'), /starts with 7b22686f7374223a2268, but .* c301/)
  refused(Buffer.concat([bytes.subarray(0, 2), Buffer.alloc(8), bytes.subarray(10)]), /fingerprint 0000000000000000/)
  refused(Buffer.concat([bytes, Buffer.alloc(1)]), /trailing data/)
  refused(encode('Alert', samples.Alert), /cannot decode Rollup: the message has the schema Alert/)
})

test('an array that claims more items than the message has bytes is refused at once', () => {
  const empty = { ...samples.EventBatch, drops: [], processes: [], sockets: [], stacks: [], events: [] }
  const bytes = encode('EventBatch', empty)
  // The last byte is the empty events array; in its place a block of 2^48 events.
  const forged = Buffer.concat([bytes.subarray(0, -1), Buffer.from('808080808080c001', 'hex')])
  const began = performance.now()
  assert.throws(() => decode('EventBatch', forged), { code: 'DATA' })
  assert.ok(performance.now() - began < 1_000)
})

test('each encoded message is a separate buffer, also when it is larger than any before', () => {
  const long = { ...samples.Alert, explanation: 'é'.repeat(3 << 20) }
  const first = encode('Alert', long)
  const second = encode('Alert', samples.Alert)
  assert.deepStrictEqual(decode('Alert', first), long)
  assert.deepStrictEqual(decode('Alert', second), samples.Alert)
})

test('a value that does not fit the schema is a SOFTWARE error', () => {
  assert.throws(() => encode('Rollup', { ...samples.Rollup, count: 2 ** 60 }), { code: 'SOFTWARE', message: /Rollup/ })
  assert.throws(() => encode('Rollup', { ...samples.Rollup, host: null as unknown as string }), { code: 'SOFTWARE' })
})

test('fastavro decodes messages with the .avsc files alone', { timeout: 180_000 }, (context) => {
  const env = pythonWith(context, 'fastavro')
  if (env === undefined) return
  const program = `
import json, sys
from io import BytesIO
from fastavro import schemaless_reader
from fastavro.schema import fingerprint, load_schema, to_parsing_canonical_form
schemas = {}
for path in sys.argv[1:]:
    schema = json.load(open(path))
    schemas[fingerprint(to_parsing_canonical_form(schema), 'CRC-64-AVRO')] = schema
for line in sys.stdin:
    message = bytes.fromhex(line)
    assert message[:2] == b'\\xc3\\x01'
    record = schemaless_reader(BytesIO(message[10:]), schemas[message[2:10].hex()])
    print(json.dumps(record, default=lambda v: v.hex() if isinstance(v, bytes) else round(v.timestamp() * 1e6)))
`
  const files = names.map((name) => join(schemasDir, `${schemaFiles[name]}.avsc`))
  const lines = execFileSync('python3', ['-c', program, ...files], {
    env,
    input: names.map((name) => encode(name, samples[name]).toString('hex')).join('\n'),
    encoding: 'utf8'
  })
  const decoded = lines
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
  const plain = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value), (_, part: unknown) => {
      const isBuffer = typeof part === 'object' && part !== null && 'type' in part && part.type === 'Buffer'
      return isBuffer ? Buffer.from((part as unknown as { data: number[] }).data).toString('hex') : part
    })
  assert.deepEqual(
    decoded,
    names.map((name) => plain(samples[name]))
  )
})
