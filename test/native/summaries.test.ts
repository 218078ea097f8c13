import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { eventFlag, eventField as field, summaryField, summaryHeaderBytes } from '../../bpf/event.ts'
import { addon } from '../../native/ring/addon.ts'

const skip = existsSync(join(import.meta.dirname, '../../build/ringside_ring.node'))
  ? false
  : 'needs build/ringside_ring.node: npm run build'

const groupBytes = 192
const latency = 0
const bytes = 1
const errno = 2

interface Group {
  readonly pid: number
  readonly startNs?: bigint
  readonly execId?: number
  readonly nr?: number
  readonly abi?: number
  readonly measure: number
  readonly firstBucket: number
  readonly sum: bigint
  /** Bucket within the group to its count. */
  readonly counts: Readonly<Record<number, number>>
  readonly uid?: number
  readonly comm?: string
}

/** As struct ringside_group of bpf/event.h lays them out. */
const encode = (groups: readonly Group[]): Uint8Array => {
  const memory = Buffer.alloc(groups.length * groupBytes)
  groups.forEach((group, index) => {
    const at = index * groupBytes
    memory.writeBigUInt64LE(group.startNs ?? 7n, at)
    memory.writeBigUInt64LE(99n, at + 8)
    memory.writeUInt32LE(group.pid, at + 16)
    memory.writeUInt32LE(group.uid ?? 0, at + 20)
    memory.writeUInt32LE(1, at + 24)
    memory.writeUInt32LE(group.uid ?? 0, at + 28)
    memory.write(group.comm ?? 'a', at + 32)
    memory.writeUInt32LE(group.execId ?? 1, at + 48)
    const key = (group.nr ?? 3) | ((group.abi ?? 0) << 10) | (group.measure << 11) | ((group.firstBucket / 32) << 13)
    memory.writeUInt32LE(key | (5 << 20) | (3 << 26), at + 52)
    memory.writeBigUInt64LE(group.sum, at + 56)
    for (const [bucket, count] of Object.entries(group.counts))
      memory.writeUInt32LE(count, at + 64 + 4 * Number(bucket))
  })
  return memory
}

const decode = (records: Uint8Array) => {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength)
  const rows = []
  for (let at = 0; at < records.byteLength; at += view.getUint32(at, true)) {
    const pathBytes = view.getUint16(at + field.pathSize, true)
    const path = at + field.path
    const cells = []
    for (let cell = path + summaryHeaderBytes; cell < path + pathBytes; cell += 8) {
      cells.push([view.getUint16(cell, true), view.getUint16(cell + 2, true), view.getUint32(cell + 4, true)])
    }
    const big = (offset: number): number => Number(view.getBigUint64(at + offset, true))
    const total = (offset: number): number => big(field.path + offset)
    rows.push({
      seq: big(field.seq),
      timeNs: big(field.timeNs),
      durationNs: big(field.durationNs),
      startNs: big(field.startNs),
      cpu: view.getUint16(at + field.cpu, true),
      nr: view.getUint16(at + field.nr, true),
      pid: view.getUint32(at + field.pid, true),
      execId: view.getUint32(at + field.execId, true),
      uid: view.getUint32(at + field.uid, true),
      advance: view.getUint32(at + field.advance, true),
      isCompat: (view.getUint8(at + field.flags) & eventFlag.isCompat) !== 0,
      comm: Buffer.from(records.buffer, records.byteOffset + at + field.comm, 1).toString(),
      count: total(summaryField.count),
      errors: total(summaryField.errors),
      totalNs: total(summaryField.totalNs),
      bytes: total(summaryField.bytes),
      cells
    })
  }
  return rows
}

const summarize = (groups: readonly Group[]) => decode(addon().summarize(encode(groups), 100, 5000, 1000))

describe('groups of counts', { skip }, () => {
  it('of one process and call form one summary, with cells ordered by measure and index', () => {
    const rows = summarize([
      { pid: 1, measure: errno, firstBucket: 0, sum: 4n, counts: { 2: 2 }, uid: 5, comm: 'first' },
      { pid: 1, measure: latency, firstBucket: 320, sum: 4000n, counts: { 0: 3, 31: 1 }, uid: 6, comm: 'second' },
      { pid: 1, measure: latency, firstBucket: 288, sum: 500n, counts: { 1: 1 } },
      { pid: 1, measure: bytes, firstBucket: 96, sum: 30n, counts: { 0: 2 } }
    ])
    const cells = [
      [latency, 289, 1],
      [latency, 320, 3],
      [latency, 351, 1],
      [bytes, 96, 2],
      [errno, 2, 2]
    ]
    const who = { pid: 1, execId: 1, startNs: 7, nr: 3, isCompat: false, uid: 5, comm: 'f' }
    const when = { seq: 101, cpu: 1024, advance: 1, timeNs: 5000, durationNs: 1000 }
    assert.deepEqual(rows, [{ ...who, ...when, count: 5, errors: 2, totalNs: 4500, bytes: 30, cells }])
  })

  it('with the same bucket are added up', () => {
    const group = { pid: 1, measure: latency, firstBucket: 32, sum: 10n, counts: { 4: 0xffff_fff0 } }
    const [row] = summarize([group, { ...group, counts: { 4: 3 } }])
    assert.deepEqual(row?.cells, [[latency, 36, 0xffff_fff3]])
    const [full] = summarize([group, group])
    assert.deepEqual(full?.cells, [[latency, 36, 0xffff_ffff]])
    assert.equal(full?.count, 2 * 0xffff_fff0)
  })

  it('form summaries ordered by process and call, in whatever order they were allocated', () => {
    const one = { measure: latency, firstBucket: 0, sum: 1n, counts: { 0: 1 } }
    const rows = summarize([
      { ...one, pid: 2 },
      { ...one, pid: 1, nr: 9 },
      { ...one, pid: 1, nr: 2, abi: 1 },
      { ...one, pid: 1, startNs: 3n, nr: 20 }
    ])
    assert.deepEqual(
      rows.map(({ seq, pid, startNs, nr, isCompat }) => [seq, pid, startNs, nr, isCompat]),
      [
        [101, 1, 3, 20, false],
        [102, 1, 7, 9, false],
        [103, 1, 7, 2, true],
        [104, 2, 7, 3, false]
      ]
    )
  })

  it('of two programs of a process form two summaries, each with the name of its own', () => {
    const one = { pid: 1, measure: latency, firstBucket: 0, sum: 1n }
    const rows = summarize([
      { ...one, execId: 3, counts: { 0: 1 }, comm: 'b' },
      { ...one, execId: 2, counts: { 0: 5 }, comm: 'a' },
      { ...one, execId: 3, counts: { 0: 1 }, comm: 'c' }
    ])
    assert.deepEqual(
      rows.map(({ execId, comm, count }) => [execId, comm, count]),
      [
        [2, 'a', 5],
        [3, 'b', 2]
      ]
    )
  })

  it('without counts form no summary', () => {
    assert.deepEqual(summarize([]), [])
    assert.deepEqual(summarize([{ pid: 1, measure: latency, firstBucket: 0, sum: 0n, counts: {} }]), [])
  })
})
