import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SocketTable } from '../../../producer/encode/socket-table.ts'
import { RawEvents } from '../../../producer/source/raw-events.ts'
import type { Socket } from '../../../wire/types.ts'
import { type RawSocket, rawBuffer, rawEvent } from '../../support/raw-events.ts'

const socket: RawSocket = {
  family: 10,
  type: 2,
  protocol: 17,
  netns: 1,
  localAddress: Buffer.alloc(16, 1),
  localPort: 53,
  remoteAddress: Buffer.alloc(16, 2),
  remotePort: 5353
}

const raw = (given: Partial<RawSocket>): RawEvents =>
  new RawEvents(rawBuffer([rawEvent({ socket: { ...socket, ...given } })]))

test('each distinct address pair is one row of a batch', () => {
  const table = new SocketTable()
  const rows: Socket[] = []
  const changes: Partial<RawSocket>[] = [
    {},
    { localPort: 54 },
    { remoteAddress: Buffer.alloc(16, 3) },
    { netns: 2 },
    { type: 1 },
    {}
  ]
  const indexes = changes.map((change) => table.indexOf(raw(change), 0, 1, rows))
  assert.deepEqual(indexes, [0, 1, 2, 3, 4, 0])
  assert.equal(table.indexOf(raw({ netns: 2 }), 0, 2, []), 0)
})

test('an address has the length of its family', () => {
  const rows: Socket[] = []
  const table = new SocketTable()
  for (const family of [2, 10, 1]) table.indexOf(raw({ family }), 0, 1, rows)
  assert.deepEqual(
    rows.map((row) => row.remote_address.length),
    [4, 16, 0]
  )
})

test('the table stays within its bound', () => {
  const table = new SocketTable()
  for (let i = 0; i < 20_000; i++) table.indexOf(raw({ netns: i }), 0, i + 1, [])
  assert.ok(table.size <= 16_384)
})
