import assert from 'node:assert/strict'
import { test } from 'node:test'
import pino from 'pino'
import { type EncodedBatch, maxSendBytes, Publisher } from '../../producer/publish.ts'
import type { Message, Producer } from '../../wire/client.ts'

type Send = (messages: readonly Message[]) => Promise<void>

const publisherOf = (send: Send): { publisher: Publisher; published: string[]; connects: () => number } => {
  const published: string[] = []
  let connects = 0
  const connect = async (): Promise<Producer> => {
    connects++
    return { send: (_, messages) => send(messages), close: async () => {} }
  }
  const publisher = new Publisher({
    topic: 'events',
    key: 'h',
    connect,
    log: pino({ level: 'silent' }),
    onPublished: (batch) => published.push(batch.value.toString('utf8', 0, 1))
  })
  return { publisher, published, connects: () => connects }
}

const batch = (name: string, bytes = 10): EncodedBatch => ({ value: Buffer.alloc(bytes, name), byClass: [0, 0, 0, 1] })

test('what waits goes together, up to the size of one send', async () => {
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

test('a connection that cannot be made is tried again', async () => {
  let attempts = 0
  const publisher = new Publisher({
    topic: 'events',
    key: 'h',
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

test('after giving up nothing is sent, and what was never acknowledged is handed back', async () => {
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

test('no client is made before there is something to send', async () => {
  const { publisher, connects } = publisherOf(async () => {})
  await publisher.idle()
  await publisher.close()
  assert.equal(connects(), 0)
})
