// Updates to pages whose sockets read, read slowly or do not read.
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { type TestContext, test } from 'node:test'
import type { ServerMessage, Watch } from '../../../../consumer/panel/protocol.ts'
import type { PageSocket } from '../../../../consumer/panel/server/live-page.ts'
import { LivePages, type LivePagesOptions } from '../../../../consumer/panel/server/live-pages.ts'
import { Store } from '../../../../consumer/panel/state/store.ts'
import { testLog } from '../../../support/log.ts'
import { eventually } from '../../../support/ringside.ts'
import { row } from '../support/rows.ts'

class FakeSocket extends EventEmitter implements PageSocket {
  bufferedAmount = 0
  closed: { code: number; reason: string } | undefined
  terminated = false
  messages: ServerMessage[] = []

  send(text: string): void {
    this.messages.push(JSON.parse(text) as ServerMessage)
  }
  ping(): void {}
  close(code: number, reason: string): void {
    this.closed = { code, reason }
    this.emit('close')
  }
  terminate(): void {
    this.terminated = true
    this.emit('close')
  }
  watch(more: Partial<Watch> = {}): void {
    const watch: Watch = { type: 'watch', filter: {}, windowMs: 1000, fromMs: 0, top: 'process', ...more }
    this.emit('message', JSON.stringify(watch), false)
  }
  points() {
    return this.messages.filter((message) => message.type === 'points')
  }
}

const create = (t: TestContext, options: Partial<LivePagesOptions> = {}) => {
  const store = new Store({ windowsMs: [1000, 10_000] })
  const pages = new LivePages({ store, version: '1.2.3', log: testLog, ...options })
  t.after(() => pages.close())
  const open = () => {
    const socket = new FakeSocket()
    pages.add(socket)
    return socket
  }
  return { store, pages, open }
}

test('a page gets the names for its filters, then all points of its watch, then changes', async (t) => {
  const { store, open } = create(t)
  store.addRollup(row(1))
  const socket = open()
  assert.deepEqual(socket.messages[0], {
    type: 'hello',
    version: '1.2.3',
    windowsMs: [1000, 10_000],
    keptMs: [1_440_000, 14_400_000]
  })
  await eventually('names', 30, () => socket.messages.find(({ type }) => type === 'names'))
  assert.deepEqual(socket.points(), [])
  socket.watch()
  await eventually('all points', 30, () => socket.points()[0])
  store.addRollup(row(2))
  store.addRollup(row(2, { revision: 2, count: 8 }))
  await eventually('the change', 30, () => socket.points()[1])
  assert.deepEqual(
    socket.points().map(({ whole, points }) => [whole, points.map(({ timeMs, count }) => [timeMs, count])]),
    [
      [true, [[1000, 500]]],
      [false, [[2000, 8]]]
    ]
  )
  await eventually('the top', 30, () => socket.messages.find(({ type }) => type === 'top'))
})

test('a new watch replaces the previous one and is answered with all its points, even if there are none', async (t) => {
  const { store, open } = create(t)
  store.addRollup(row(1))
  const socket = open()
  socket.watch({ fromMs: 5000 })
  await eventually('no points', 30, () => socket.points()[0])
  socket.watch()
  await eventually('all points', 30, () => socket.points()[1])
  assert.deepEqual(
    socket.points().map(({ whole, points }) => [whole, points.length]),
    [
      [true, 0],
      [true, 1]
    ]
  )
})

test('a slow page skips updates and gets the newest state once it reads again', async (t) => {
  const { store, pages, open } = create(t, { maxBufferedBytes: 1000 })
  const [slow, fast] = [open(), open()]
  slow.watch()
  fast.watch()
  await eventually('points on both pages', 30, () => (slow.points().length && fast.points().length) || undefined)
  slow.bufferedAmount = 1001
  const received = slow.messages.length
  for (let revision = 1; revision <= 3; revision++) {
    store.addRollup(row(1, { revision, count: revision }))
    await eventually(
      'the update on the fast page',
      30,
      () => fast.points().at(-1)?.points[0]?.count === revision || undefined
    )
  }
  assert.equal(slow.messages.length, received)
  assert.ok(pages.skipped >= 3)
  slow.bufferedAmount = 0
  await eventually('the update on the slow page', 30, () => slow.points()[1])
  assert.deepEqual(
    slow.points()[1]?.points.map(({ count }) => count),
    [3]
  )
  assert.equal(slow.terminated, false)
})

test('a page that does not read for long is disconnected', async (t) => {
  const { store, pages, open } = create(t, { maxBufferedBytes: 0, maxSlowMs: 10 })
  const socket = open()
  socket.bufferedAmount = 1
  store.addRollup(row(1))
  await eventually('the disconnect', 30, () => socket.terminated || undefined)
  assert.equal(pages.size, 0)
})

test('an unknown message, or too many messages, closes the connection', (t) => {
  const { open } = create(t)
  for (const text of ['', 'null', '{"type":"watch"}', '{"type":"nope"}']) {
    const socket = open()
    socket.emit('message', text, false)
    assert.equal(socket.closed?.code, 1008, text)
  }
  const wrong = open()
  wrong.watch({ windowMs: 7 })
  assert.match(wrong.closed?.reason ?? '', /reload the page/)
  const eager = open()
  for (let i = 0; i < 21; i++) eager.watch()
  assert.match(eager.closed?.reason ?? '', /more than 20 messages/)
})

test('a page above the maximum is refused with "try again later"', (t) => {
  const { pages, open } = create(t, { maxPages: 2 })
  const sockets = [open(), open(), open()]
  assert.deepEqual(
    sockets.map(({ closed }) => closed?.code),
    [undefined, undefined, 1013]
  )
  assert.equal(pages.size, 2)
})

test('the panel closes its pages when it stops', (t) => {
  const { pages, open } = create(t)
  const socket = open()
  pages.close()
  assert.equal(socket.closed?.code, 1001)
})
