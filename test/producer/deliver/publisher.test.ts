import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import pino from 'pino'
import { type EncodedBatch, maxSendBytes, Publisher } from '../../../producer/deliver/publisher.ts'
import { Spool } from '../../../producer/deliver/spool.ts'
import type { Message, Producer } from '../../../wire/client.ts'
import { headerOf } from '../../support/batch-header.ts'
import { eventually, temporaryDirectory } from '../../support/ringside.ts'

type Send = (messages: readonly Message[]) => Promise<void>

const publisherOf = (
  send: Send,
  spool?: Spool,
  memoryBytes?: number
): { publisher: Publisher; published: string[]; connects: () => number } => {
  const published: string[] = []
  let connects = 0
  const connect = async (): Promise<Producer> => {
    connects++
    return { send: (_, messages) => send(messages), close: async () => {} }
  }
  const publisher = new Publisher({
    topic: 'events',
    connect,
    log: pino({ level: 'silent' }),
    spool,
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    onPublished: (batch) => published.push(batch.value.toString('utf8', 0, 1))
  })
  return { publisher, published, connects: () => connects }
}

const batch = (name: string, bytes = 10, onDurable = (): void => {}): EncodedBatch => ({
  header: headerOf({ batch: name.charCodeAt(0) }),
  value: Buffer.alloc(bytes, name),
  byClass: [0, 0, 0, 1],
  summaries: 0,
  onDurable
})

test('waiting batches go together, up to the size of one send', async () => {
  const sends: number[] = []
  const { publisher, published } = publisherOf(async (messages) => {
    sends.push(messages.length)
    await new Promise(setImmediate)
  })
  for (const name of 'abcd') publisher.publish(batch(name, maxSendBytes / 3))
  publisher.publish(batch('e', maxSendBytes + 1))
  assert.equal(publisher.backlogBatches, 5)
  await publisher.idle()
  assert.deepEqual(published, ['a', 'b', 'c', 'd', 'e'])
  assert.equal(Math.max(...sends), 3)
  assert.deepEqual([publisher.backlogBytes, publisher.backlogBatches], [0, 0])
})

test('after a failure one batch goes alone, in case the size was the reason', async () => {
  const sends: number[] = []
  let stuck = true
  const { publisher, published } = publisherOf(async (messages) => {
    sends.push(messages.length)
    await new Promise(setImmediate)
    if (messages.length > 1) throw new Error('message too large')
    if (stuck) {
      stuck = false
      throw new Error('not yet')
    }
  })
  for (const name of 'abc') publisher.publish(batch(name))
  await publisher.idle()
  assert.deepEqual(published, ['a', 'b', 'c'])
  assert.ok(sends.includes(1))
})

test('a failed connection is retried', async () => {
  let attempts = 0
  const publisher = new Publisher({
    topic: 'events',
    connect: async () => {
      if (++attempts < 3) throw new Error('no broker answers')
      return { send: async () => {}, close: async () => {} }
    },
    log: pino({ level: 'silent' }),
    onPublished: () => {}
  })
  publisher.publish(batch('a'))
  await publisher.idle()
  assert.equal(attempts, 3)
})

test('after giving up nothing is sent, and close() returns the batches without acknowledgement', async () => {
  const { publisher, published } = publisherOf(() => new Promise(() => {}))
  publisher.publish(batch('a'))
  publisher.publish(batch('b'))
  setImmediate(() => publisher.giveUp())
  await publisher.idle()
  const left = await publisher.close()
  assert.deepEqual(
    left.map(({ value }) => value.toString('utf8', 0, 1)),
    ['a', 'b']
  )
  assert.deepEqual(published, [])
})

test('no client is created before the first batch', async () => {
  const { publisher, connects } = publisherOf(async () => {})
  await publisher.idle()
  await publisher.close()
  assert.equal(connects(), 0)
})

const spoolIn = (folder: string, run = 'run'): Spool =>
  new Spool({ path: join(folder, 'spool.sqlite'), maxBytes: 16 << 20, run, log: pino({ level: 'silent' }) })

test('while Kafka is away, batches go to disk after two seconds, and are published in order later', async (t) => {
  const spool = spoolIn(temporaryDirectory(t, 'publish'))
  let isAway = true
  const { publisher, published } = publisherOf(async () => {
    if (isAway) throw new Error('no broker answers')
  }, spool)
  for (const name of 'abc') publisher.publish(batch(name))
  assert.equal(spool.batches, 0)
  await eventually('three batches on disk', 20, () => spool.batches === 3 || undefined)
  assert.deepEqual([publisher.backlogBatches, publisher.backlogBytes, publisher.isBehind], [0, 0, true])
  publisher.publish(batch('d'))
  isAway = false
  await publisher.idle()
  assert.deepEqual(published, ['a', 'b', 'c', 'd'])
  assert.deepEqual([spool.batches, spool.account.spooled[3], publisher.isBehind], [0, 0, false])
  await publisher.close()
  spool.close()
})

test('batches beyond the memory limit go to disk at once, and a send in flight is acknowledged there', async (t) => {
  const spool = spoolIn(temporaryDirectory(t, 'publish'))
  let open = (): void => {}
  const away = new Promise<void>((resolve) => {
    open = resolve
  })
  const { publisher, published } = publisherOf(() => away, spool, 2000)
  for (const name of 'abcdef') publisher.publish(batch(name, 900))
  await eventually('batches on disk', 20, () => spool.batches >= 3 || undefined)
  assert.ok(publisher.backlogBytes <= 2000 + 900)
  open()
  await publisher.idle()
  assert.deepEqual(published, ['a', 'b', 'c', 'd', 'e', 'f'])
  assert.deepEqual([spool.batches, spool.account.spooled[3]], [0, 0])
  await publisher.close()
  spool.close()
})

test('while Kafka acknowledges, nothing is written to disk', async (t) => {
  const spool = spoolIn(temporaryDirectory(t, 'publish'))
  t.mock.method(spool, 'add')
  const { publisher, published } = publisherOf(async () => {}, spool)
  for (const name of 'abcdef') publisher.publish(batch(name))
  await publisher.idle()
  await publisher.close()
  assert.equal(published.length, 6)
  assert.equal((spool.add as unknown as { mock: { callCount(): number } }).mock.callCount(), 0)
  spool.close()
})

test('batches left at the end go to disk, and the next publisher sends them first', async (t) => {
  const folder = temporaryDirectory(t, 'publish')
  const spool = spoolIn(folder)
  const { publisher } = publisherOf(() => new Promise(() => {}), spool)
  for (const name of 'ab') publisher.publish(batch(name))
  assert.deepEqual(await publisher.close(), [])
  spool.close()

  const reopened = spoolIn(folder, 'next')
  const next = publisherOf(async () => {}, reopened)
  next.publisher.publish(batch('c'))
  await next.publisher.idle()
  assert.deepEqual(next.published, ['a', 'b', 'c'])
  assert.deepEqual(await next.publisher.close(), [])
  reopened.close()
})

test('a batch is durable once Kafka or the disk has it, in order', async (t) => {
  const spool = spoolIn(temporaryDirectory(t, 'publish'))
  const durable: string[] = []
  const publishNamed = (publisher: Publisher, names: string, bytes = 900): void => {
    for (const name of names) publisher.publish(batch(name, bytes, () => durable.push(name)))
  }
  let answer = (): void => {}
  const { publisher } = publisherOf(() => new Promise((resolve) => (answer = resolve)), spool, 2000)
  publishNamed(publisher, 'a')
  await new Promise(setImmediate)
  assert.deepEqual(durable, [])
  answer()
  await eventually('an acknowledged batch', 20, () => durable.length === 1 || undefined)
  // The third is beyond the memory limit: the disk takes all three, also the one on its way to Kafka.
  publishNamed(publisher, 'bcd')
  assert.deepEqual(durable, ['a', 'd'])
  publishNamed(publisher, 'e')
  assert.deepEqual(durable, ['a', 'd'])
  for (let i = 0; i < 100 && spool.batches + publisher.backlogBatches > 0; i++) {
    answer()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  assert.deepEqual(durable, ['a', 'd', 'e'])
  await publisher.close()
  spool.close()
})

test('batches that occupy a quarter of a ring go to disk at once', async (t) => {
  const spool = spoolIn(temporaryDirectory(t, 'publish'))
  let pressure = 0.2
  const publisher = new Publisher({
    topic: 'events',
    connect: () => new Promise(() => {}),
    log: pino({ level: 'silent' }),
    spool,
    pressure: () => pressure,
    onPublished: () => {}
  })
  publisher.publish(batch('a'))
  assert.equal(spool.batches, 0)
  pressure = 0.3
  publisher.publish(batch('b'))
  assert.equal(spool.batches, 2)
  await publisher.close()
  spool.close()
})

test('after giving up, new batches go to disk', async (t) => {
  const spool = spoolIn(temporaryDirectory(t, 'publish'))
  const { publisher } = publisherOf(() => new Promise(() => {}), spool)
  publisher.publish(batch('a'))
  publisher.giveUp()
  publisher.publish(batch('b'))
  assert.equal(spool.batches, 2)
  assert.deepEqual(await publisher.close(), [])
  spool.close()
})
