import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AuditQuery } from '../../../../consumer/panel/protocol.ts'
import { matchesQuery, searchAudit } from '../../../../consumer/panel/server/search-audit.ts'
import type { KafkaClient } from '../../../../wire/client.ts'
import { encode } from '../../../../wire/codec.ts'
import type { AuditRecord } from '../../../../wire/types.ts'
import { samples } from '../../../support/records.ts'

const record = (timeMs: number, more: Partial<AuditRecord> = {}): AuditRecord => ({
  ...samples.AuditRecord,
  time: timeMs * 1000,
  ...more
})
const any: AuditQuery = { fromMs: 1000, toMs: 2000 }

/** A topic of two partitions in memory, which counts its reads. */
const clientOf = (messages: { value: Buffer; partition: number; timestampMs: number }[]) => {
  const reads: { sinceMs: number | undefined; count: number } = { sinceMs: undefined, count: 0 }
  const client: Pick<KafkaClient, 'read' | 'describeTopics'> = {
    describeTopics: async () => [{ name: 'audit', partitions: 2, replicas: 1, minInsyncReplicas: 1, messages: 0n }],
    read: async ({ sinceMs, onMessage }, signal) => {
      reads.sinceMs = sinceMs
      for (const [index, { value, partition, timestampMs }] of messages.entries()) {
        reads.count += 1
        const message = { key: null, value, headers: {}, offset: BigInt(index), timestampMs }
        if ((await onMessage(message, partition)) === false || signal?.aborted) return
      }
    }
  }
  return { client, reads }
}

const message = (row: AuditRecord, partition = 0, timestampMs = row.time / 1000) => ({
  value: encode('AuditRecord', row),
  partition,
  timestampMs
})

const search = (
  client: Pick<KafkaClient, 'read' | 'describeTopics'>,
  more: { maxRows?: number; maxMs?: number } = {}
) => searchAudit({ client, topic: 'audit', query: any, signal: new AbortController().signal, ...more })

test('a row matches when all fields of the query do', () => {
  const row = record(1500, { path: '/etc/shadow', remote_address: '2001:db8::1', remote_port: 443 })
  for (const query of [
    {},
    { host: 'web-1' },
    { call: 'connect' },
    { program: 'cur' },
    { program: '/usr/bin' },
    { pid: 100 },
    { target: 'shadow' },
    { target: '[2001:db8::1]:443' },
    { failed: true },
    { failed: false },
    { host: '', call: '', program: '', target: '' }
  ]) {
    assert.equal(matchesQuery(row, { ...any, ...query }), true, JSON.stringify(query))
  }
  for (const query of [
    { fromMs: 1501 },
    { toMs: 1500 },
    { host: 'web' },
    { call: 'conn' },
    { program: 'wget' },
    { pid: 10 },
    { target: ':80' }
  ]) {
    assert.equal(matchesQuery(row, { ...any, ...query }), false, JSON.stringify(query))
  }
  assert.equal(matchesQuery({ ...row, verdict: 'expected' }, { ...any, failed: true }), false)
  assert.equal(matchesQuery({ ...row, syscall: null, kind: 'exec' }, { ...any, call: 'exec' }), true)
})

test('rows of all partitions are ordered by time', async () => {
  const rows = [record(1700), record(1100, { seq: 2 }), record(1100, { seq: 1 }), record(2500)]
  const { client, reads } = clientOf(rows.map((row, index) => message(row, index % 2)))
  assert.deepEqual(await search(client), { rows: [rows[2], rows[1], rows[0]], scanned: 4, stopped: null })
  assert.equal(reads.sinceMs, 1000)
})

test('a search ends once all partitions are past the time range', async () => {
  const late = 2000 + 3_600_001
  const later = [
    message(record(late), 0),
    message(record(1200), 1, 3000),
    message(record(late), 1),
    message(record(1300))
  ]
  const { client, reads } = clientOf(later)
  const { rows, stopped } = await search(client)
  assert.deepEqual([rows.length, stopped, reads.count], [1, null, 3])
})

test('a search that reaches the maximum of rows says so', async () => {
  const { client } = clientOf([1, 2, 3].map((second) => message(record(1000 + second))))
  const { rows, stopped } = await search(client, { maxRows: 2 })
  assert.equal(rows.length, 2)
  assert.match(stopped ?? '', /first 2 rows/)
})

test('a search reports its time limit and messages that could not be read', async () => {
  const { client } = clientOf([{ value: Buffer.from('x'), partition: 0, timestampMs: 1 }])
  assert.match((await search(client)).stopped ?? '', /1 messages or record batches of topic audit could not be read/)
  const slow = {
    ...client,
    read: (_: unknown, signal?: AbortSignal) =>
      new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()))
  }
  assert.match((await search(slow, { maxMs: 20 })).stopped ?? '', /time limit of 0\.02 s/)
})
