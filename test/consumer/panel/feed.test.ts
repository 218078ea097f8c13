// Topics in memory → the feed → the store.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Feed } from '../../../consumer/panel/feed.ts'
import { Store } from '../../../consumer/panel/state/store.ts'
import { RingsideError } from '../../../runtime/errors.ts'
import type { ReaderOptions } from '../../../wire/client.ts'
import { encode } from '../../../wire/codec.ts'
import { testLog } from '../../support/log.ts'
import { samples } from '../../support/records.ts'
import { eventually } from '../../support/ringside.ts'
import { row, status } from './support/rows.ts'

const topics = { rollups: 'rollups', hosts: 'hosts', alerts: 'alerts' }

/** Topics in memory; reads fail while state.fails is true. */
const createTopics = () => {
  const held: Record<string, { value: Buffer; timestampMs: number }[]> = { rollups: [], hosts: [], alerts: [] }
  const reads: ReaderOptions[] = []
  const state = { fails: false }
  const deliver = (options: ReaderOptions, from: number): number => {
    const messages = held[options.topic] ?? []
    for (const [offset, { value, timestampMs }] of messages.entries()) {
      if (offset < from || timestampMs < (options.sinceMs ?? 0)) continue
      void options.onMessage({ key: null, value, headers: {}, offset: BigInt(offset), timestampMs }, 0)
    }
    return messages.length
  }
  const read = async (options: ReaderOptions, signal?: AbortSignal): Promise<void> => {
    if (state.fails) throw new RingsideError('UNAVAILABLE', `cannot read ${options.topic}`)
    reads.push(options)
    let delivered = deliver(options, 0)
    if (options.untilEnd) return
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        delivered = deliver(options, delivered)
      }, 5)
      signal?.addEventListener('abort', () => {
        clearInterval(timer)
        resolve()
      })
    })
  }
  const add = (topic: keyof typeof topics, value: Buffer, timestampMs = Date.now()) =>
    held[topic]?.push({ value, timestampMs })
  return { client: { read }, reads, state, add }
}

const start = (t: TestContext, client: ReturnType<typeof createTopics>['client']) => {
  const store = new Store({ windowsMs: [1000, 60_000] })
  const feed = new Feed({ client, store, topics, log: testLog })
  feed.start()
  t.after(() => feed.stop())
  const staleReason = () => {
    const message = store.changesAfter(-1, 1).find(({ type }) => type === 'stale')
    return message?.type === 'stale' ? message.reason : undefined
  }
  return { store, feed, staleReason }
}

const nowS = Math.floor(Date.now() / 1000)

test('the feed loads the history, then follows new messages, and reads each message once', async (t) => {
  const { client, add } = createTopics()
  add('rollups', encode('Rollup', row(nowS - 2)))
  add('hosts', encode('HostStatus', status(nowS - 2)))
  add('alerts', encode('Alert', samples.Alert))
  const { store, feed, staleReason } = start(t, client)
  assert.match(staleReason() ?? '', /Loading the history of topic rollups/)
  await eventually('the history to be loaded', 30, () => (staleReason() === null ? true : undefined))
  add('hosts', encode('HostStatus', status(nowS - 1)))
  const watch = { type: 'watch', filter: {}, windowMs: 1000, fromMs: 0, top: 'call' } as const
  await eventually('the new message', 30, () => (store.points(watch, -1).length === 2 ? true : undefined))
  // A status read twice would add 14 lost events.
  assert.deepEqual(
    store.points(watch, -1).map(({ count, lost }) => [count, lost]),
    [
      [500, 7],
      [0, 7]
    ]
  )
  assert.equal(feed.unreadable, 0)
})

test('the last minutes are loaded first, then the older history without those minutes', async (t) => {
  const { client, add, reads } = createTopics()
  const hourAgoMs = Date.now() - 3_600_000
  add('rollups', encode('Rollup', row(60 * Math.floor(nowS / 60) - 3600, { window_ms: 60_000 })), hourAgoMs)
  add('rollups', encode('Rollup', row(nowS)))
  const { store } = start(t, client)
  const watch = { type: 'watch', filter: {}, windowMs: 60_000, fromMs: 0, top: 'call' } as const
  await eventually('the older row', 30, () => (store.points(watch, -1).length === 1 ? true : undefined))
  const sinces = reads.filter(({ topic }) => topic === 'rollups').map(({ sinceMs = 0 }) => Date.now() - sinceMs)
  const minutes = sinces.map((ms) => Math.round(ms / 60_000))
  assert.deepEqual([minutes[0], Math.max(...minutes)], [24, 24 * 60])
})

test('while a topic cannot be read the store has the reason, and no reason afterwards', async (t) => {
  const { client, state, add } = createTopics()
  state.fails = true
  add('rollups', encode('Rollup', row(nowS)))
  const { store, staleReason } = start(t, client)
  await eventually('the reason', 30, () => (staleReason()?.includes('cannot read') ? true : undefined))
  state.fails = false
  await eventually('no reason', 30, () => (staleReason() === null ? true : undefined))
  assert.equal(store.rows, 1)
})

test('a message that cannot be decoded is counted and skipped', async (t) => {
  const { client, add } = createTopics()
  add('rollups', Buffer.from('not a rollup'))
  add('rollups', encode('Rollup', row(nowS)))
  const { store, feed } = start(t, client)
  await eventually('the readable message', 30, () => (store.rows === 1 ? true : undefined))
  assert.ok(feed.unreadable > 0)
})

test('a read that fails, and that no retry can help, ends the feed', async (t) => {
  const failure = new TypeError('x is not a function')
  const { feed } = start(t, { read: () => Promise.reject(failure) })
  await assert.rejects(feed.done, failure)
})

test('a record batch that cannot be read is counted and skipped', async (t) => {
  const { client, add } = createTopics()
  add('rollups', encode('Rollup', row(1)))
  const poisoned = async (options: ReaderOptions, signal?: AbortSignal): Promise<void> => {
    if (options.topic === 'rollups') {
      options.onUnreadable({ firstOffset: 5n, lastOffset: 9n, reason: 'lz4: corrupt', bytes: Buffer.alloc(0) }, 0)
    }
    await client.read(options, signal)
  }
  const { feed, staleReason } = start(t, { read: poisoned })
  await eventually('the history', 60, () => (staleReason() === null ? true : undefined))
  assert.ok(feed.unreadable > 0)
  assert.deepEqual(feed.problems(), [])
})
