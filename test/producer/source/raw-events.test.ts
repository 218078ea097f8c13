import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { eventField, knownCalls } from '../../../bpf/event.ts'
import { RawEvents } from '../../../producer/source/raw-events.ts'
import { eventKinds } from '../../../wire/event-kind.ts'

const schemaSymbols = (name: string): string[] => {
  const text = readFileSync(join(import.meta.dirname, '..', '..', '..', 'schemas', 'event_batch.avsc'), 'utf8')
  const found = new RegExp(`"name": "${name}",\\s*"symbols": (\\[[^\\]]*\\])`).exec(text)
  return JSON.parse(found?.[1] ?? '[]') as string[]
}

describe('RawEvents', () => {
  it('reads integers of every width, signed and unsigned', () => {
    const batch = new Uint8Array(32)
    const view = new DataView(batch.buffer)
    view.setBigInt64(0, -115n, true)
    view.setBigUint64(8, 0x0012_3456_789a_bcdfn, true)
    view.setInt32(16, -100, true)
    view.setUint16(20, 65535, true)
    const raw = new RawEvents(batch)
    assert.equal(raw.i64(0), -115)
    assert.equal(raw.u64(8), 0x0012_3456_789a_bcdf)
    assert.equal(raw.i32(16), -100)
    assert.equal(raw.u32(16), 0xffff_ff9c)
    assert.equal(raw.u16(20), 65535)
    assert.equal(raw.u8(20), 255)
  })

  it('subtracts clocks beyond 2^53 exactly', () => {
    const batch = new Uint8Array(8)
    const now = 2n ** 60n + 12_345n
    new DataView(batch.buffer).setBigUint64(0, now, true)
    const raw = new RawEvents(batch)
    for (const difference of [1n, -1n, 4_294_967_295n, -86_400_000_000_001n]) {
      const reference = now - difference
      const [high, low] = [Number(reference >> 32n), Number(reference & 0xffff_ffffn)]
      assert.equal(raw.since(0, high, low), Number(difference))
    }
  })

  it('reads names up to their NUL and paths by their size', () => {
    const batch = new Uint8Array(512)
    const bytes = Buffer.from(batch.buffer)
    const at = 8
    bytes.write('sixteen-bytes-ok', at + eventField.comm)
    bytes.write('/tmp/ünïcode', at + eventField.path)
    bytes.writeUInt16LE(Buffer.byteLength('/tmp/ünïcode'), at + eventField.pathSize)
    const raw = new RawEvents(batch)
    assert.equal(raw.comm(at), 'sixteen-bytes-ok')
    assert.equal(raw.path(at), '/tmp/ünïcode')
    bytes.write('bash\0junk', at + eventField.comm)
    assert.equal(raw.comm(at), 'bash')
  })

  it('reads a slice of a larger buffer', () => {
    const whole = new Uint8Array(64)
    new DataView(whole.buffer).setUint32(16, 7, true)
    assert.equal(new RawEvents(whole.subarray(8)).u32(8), 7)
  })

  it('names calls and kinds as the schema does', () => {
    assert.deepEqual(knownCalls, schemaSymbols('Syscall'))
    assert.deepEqual(eventKinds, schemaSymbols('EventKind'))
  })
})
