// What topics hold, and what comes, as the store is told it.
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

/** Topics in memory, whose reads can be made to fail. */
const createTopics = () => {
  const held: Record<string, { value: Buffer; timestampMs: number }[]> = { rollups: [], hosts: [], alerts: [] }
  const reads: ReaderOptions[] = []
  const state = { fails: false }
  const tell = (options: ReaderOptions, from: number): number => {
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
    let told = tell(options, 0)
    if (options.untilEnd) return
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        told = tell(options, told)
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
  const trouble = () => {
    const message = store.news(-1, 1).find(({ type }) => type === 'trouble')
    return message?.type === 'trouble' ? message.message : undefined
  }
  return { store, feed, trouble }
}

const nowS = Math.floor(Date.now() / 1000)

test('what is there is read back, then what comes is followed, each message once', async (t) => {
  const { client, add } = createTopics()
  add('rollups', encode('Rollup', row(nowS - 2)))
  add('hosts', encode('HostStatus', status(nowS - 2)))
  add('alerts', encode('Alert', samples.Alert))
  const { store, feed, trouble } = start(t, client)
  assert.match(trouble() ?? '', /Reading back what rollups holds/)
  await eventually('all to be read back', 30, () => (trouble() === null ? true : undefined))
  add('hosts', encode('HostStatus', status(nowS - 1)))
  const watch = { type: 'watch', filter: {}, windowMs: 1000, fromMs: 0, top: 'call' } as const
  await eventually('what came', 30, () => (store.points(watch, -1).length === 2 ? true : undefined))
  // Twice would be 14 of each.
  assert.deepEqual(
    store.points(watch, -1).map(({ count, lost }) => [count, lost]),
    [
      [500, 7],
      [0, 7]
    ]
  )
  assert.equal(feed.unreadable, 0)
})

test('hours before the first minutes come later, and what came since is left to the other read', async (t) => {
  const { client, add, reads } = createTopics()
  const hourAgoMs = Date.now() - 3_600_000
  add('rollups', encode('Rollup', row(60 * Math.floor(nowS / 60) - 3600, { window_ms: 60_000 })), hourAgoMs)
  add('rollups', encode('Rollup', row(nowS)))
  const { store } = start(t, client)
  const watch = { type: 'watch', filter: {}, windowMs: 60_000, fromMs: 0, top: 'call' } as const
  await eventually('the hour before', 30, () => (store.points(watch, -1).length === 1 ? true : undefined))
  const sinces = reads.filter(({ topic }) => topic === 'rollups').map(({ sinceMs = 0 }) => Date.now() - sinceMs)
  const minutes = sinces.map((ms) => Math.round(ms / 60_000))
  assert.deepEqual([minutes[0], Math.max(...minutes)], [24, 24 * 60])
})

test('while a topic cannot be read the page is told why, and then that it is over', async (t) => {
  const { client, state, add } = createTopics()
  state.fails = true
  add('rollups', encode('Rollup', row(nowS)))
  const { store, trouble } = start(t, client)
  await eventually('the trouble', 30, () => (trouble()?.includes('cannot read') ? true : undefined))
  state.fails = false
  await eventually('its end', 30, () => (trouble() === null ? true : undefined))
  assert.equal(store.rows, 1)
})

test('a message that cannot be read is counted and left out', async (t) => {
  const { client, add } = createTopics()
  add('rollups', Buffer.from('not a rollup'))
  add('rollups', encode('Rollup', row(nowS)))
  const { store, feed } = start(t, client)
  await eventually('the one that can', 30, () => (store.rows === 1 ? true : undefined))
  assert.ok(feed.unreadable > 0)
})
