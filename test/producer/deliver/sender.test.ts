import assert from 'node:assert/strict'
import { test } from 'node:test'
import pino from 'pino'
import { Sender } from '../../../producer/deliver/sender.ts'
import type { Producer } from '../../../wire/client.ts'

const messages = [{ key: 'h', value: Buffer.from('a') }]

const senderOf = (producer: Partial<Producer> = {}) => {
  const gaveUp = new AbortController()
  let connects = 0
  const connect = async (): Promise<Producer> => {
    connects++
    return { send: async () => {}, close: async () => {}, ...producer }
  }
  const sender = new Sender({ topic: 'events', connect, signal: gaveUp.signal, log: pino({ level: 'silent' }) })
  return { sender, gaveUp, connects: () => connects }
}

test('one producer serves all sends until it is reset', async () => {
  const { sender, connects } = senderOf()
  await sender.send(messages)
  await sender.send(messages)
  assert.equal(connects(), 1)
  await sender.reset()
  await sender.send(messages)
  assert.equal(connects(), 2)
})

test('a send that hangs rejects when its signal aborts', async () => {
  const { sender, gaveUp } = senderOf({ send: () => new Promise(() => {}) })
  const sending = sender.send(messages)
  setImmediate(() => gaveUp.abort())
  await assert.rejects(sending, { name: 'AbortError' })
})

test('a producer that cannot be closed is replaced all the same', async () => {
  const close = async (): Promise<void> => {
    throw new Error('the socket is gone')
  }
  const { sender, connects } = senderOf({ close })
  await sender.send(messages)
  await sender.reset()
  await sender.send(messages)
  assert.equal(connects(), 2)
})
