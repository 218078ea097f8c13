// Contract of wire/client.ts, transactions: every Kafka client that is to replace kafkajs must pass these tests.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { RingsideError } from '../../runtime/errors.ts'
import type { Commit, Message, TransactionalProducer, TransactionalSend } from '../../wire/client.ts'
import { createTopic, kafkaMissing, readAll, uniqueName, withKafka } from '../support/kafka.ts'
import { cutOnce } from './support/cut-connections.ts'

const message = (value: string, key = 'k'): Message => ({ key, value: Buffer.from(value) })

const isFenced = (error: unknown): boolean => error instanceof RingsideError && error.code === 'FENCED'
const canRetry = (error: unknown): boolean => error instanceof RingsideError && error.canRetry

describe('a transaction', { skip: await kafkaMissing(), timeout: 180_000 }, () => {
  const kafka = withKafka()

  /** A partition to read, a topic to write to, and a group that commits. */
  const scene = async (partitions = 1) => {
    const [input, output] = [
      await createTopic(kafka.client, 'input'),
      await createTopic(kafka.client, 'out', partitions)
    ]
    const group = uniqueName('group')
    const at = (offset: number, metadata = ''): Commit => ({
      topic: input,
      partition: 0,
      offset: BigInt(offset),
      metadata
    })
    return {
      output,
      at,
      begin: () => kafka.client.transactional({ id: `${group}/0`, group, topic: input, partition: 0 }),
      committed: async () => (await kafka.client.progress([group], [input]))[0]?.commit,
      values: async () => (await readAll(kafka.client, output)).map(({ value }) => String(value)),
      sending:
        (...values: string[]) =>
        async (send: TransactionalSend): Promise<void> => {
          assert.deepEqual(
            await send(
              output,
              values.map((value) => message(value))
            ),
            []
          )
        }
    }
  }

  test('commits messages to several topics together with the offset and its metadata', async () => {
    const { begin, at, committed, values, sending } = await scene()
    const other = await createTopic(kafka.client, 'other', 3)
    const producer = await begin()
    await producer.transact(
      async (send) => {
        await sending('1', '2')(send)
        await send(
          other,
          ['a', 'b', 'c', 'd'].map((key) => message(key, key))
        )
      },
      at(5, '{"resume":3}')
    )
    assert.deepEqual(await values(), ['1', '2'])
    assert.equal((await readAll(kafka.client, other)).length, 4)
    assert.deepEqual(await committed(), at(5, '{"resume":3}'))
    await producer.transact(async () => {}, at(6))
    assert.deepEqual(await committed(), at(6))
    await producer.close()
  })

  test('that fails in the middle leaves nothing, and the next one is committed', async () => {
    const { begin, at, committed, values, sending } = await scene()
    const producer = await begin()
    const failing = async (send: TransactionalSend): Promise<void> => {
      await sending('never')(send)
      throw new Error('no more')
    }
    await assert.rejects(producer.transact(failing, at(1)), /no more/)
    assert.deepEqual(await values(), [])
    assert.equal(await committed(), undefined)
    await producer.transact(sending('1'), at(1))
    await assert.rejects(producer.transact(failing, at(2)), /no more/)
    assert.deepEqual(await values(), ['1'])
    assert.deepEqual(await committed(), at(1))
    await producer.close()
  })

  test('of a producer whose id was taken over is aborted, and the producer stays fenced', async () => {
    const { begin, at, committed, values, sending } = await scene()
    const old = await begin()
    const [isSent, isOver] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const fenced = assert.rejects(
      old.transact(async (send) => {
        await sending('old')(send)
        isSent.resolve()
        await isOver.promise
      }, at(1)),
      isFenced
    )
    await isSent.promise
    const successor = await begin()
    await successor.transact(sending('new'), at(1))
    isOver.resolve()
    await fenced
    await assert.rejects(old.transact(sending('again'), at(2)), isFenced)
    await successor.transact(sending('newer'), at(2))
    assert.deepEqual(await values(), ['new', 'newer'])
    assert.deepEqual(await committed(), at(2))
    await old.close()
    await successor.close()
  })

  test('of a killed producer blocks readers only until another producer takes over its id', async () => {
    const { begin, at, values, sending, output } = await scene()
    const killed = await begin()
    const [isSent, isOver] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const left = killed.transact(async (send) => {
      await sending('never')(send)
      isSent.resolve()
      await isOver.promise
    }, at(1))
    await isSent.promise
    const plain = await kafka.client.producer()
    await plain.send(output, [message('later')])
    await plain.close()
    let isRead = false
    const reading = values().finally(() => {
      isRead = true
    })
    await readAll(kafka.client, await createTopic(kafka.client, 'as-long'))
    assert.equal(isRead, false, 'a reader waits for the end of an open transaction')
    const successor = await begin()
    assert.deepEqual(await reading, ['later'])
    isOver.resolve()
    await assert.rejects(left, isFenced)
    await killed.close()
    await successor.close()
  })

  /** Cuts the connection once within a transaction. Returns its error, and the messages and offset after it. */
  const cut = async (api: Parameters<typeof cutOnce>[0], when: Parameters<typeof cutOnce>[1]) => {
    const { begin, at, committed, values, sending } = await scene()
    const isCut = cutOnce(api, when)
    const producer = await begin()
    let failure: unknown
    await producer.transact(sending('1'), at(1, 'one')).catch((error) => {
      failure = error
    })
    assert.ok(isCut(), `no ${api} was cut`)
    const left = [await values(), (await committed())?.offset]
    if (failure !== undefined) await producer.transact(sending('1'), at(1, 'one'))
    await producer.transact(sending('2'), at(2, 'two'))
    await producer.close()
    assert.deepEqual(await values(), ['1', '2'])
    assert.deepEqual(await committed(), at(2, 'two'))
    return { failure, left }
  }

  test('whose end did not reach the broker is aborted, and fails with an error that can be retried', async () => {
    const { failure, left } = await cut('EndTxn', 'before')
    assert.ok(canRetry(failure))
    assert.deepEqual(left, [[], undefined])
  })

  test('that the broker committed succeeds although the answer is lost', async () => {
    const { failure, left } = await cut('EndTxn', 'answer')
    assert.equal(failure, undefined)
    assert.deepEqual(left, [['1'], 1n])
  })

  test('that lost an acknowledgement of messages is aborted, and its retry is committed once', async () => {
    const { failure, left } = await cut('Produce', 'answer')
    assert.ok(canRetry(failure))
    assert.deepEqual(left, [[], undefined])
  })

  test('cannot be retried by a producer that lost its connection when another one has committed since', async () => {
    const { begin, at, committed, values, sending } = await scene()
    const isCut = cutOnce('AddPartitionsToTxn', 'before')
    const old = await begin()
    await assert.rejects(old.transact(sending('old'), at(1, 'old')), canRetry)
    assert.ok(isCut())
    const successor = await begin()
    await successor.transact(sending('new'), at(1, 'new'))
    await assert.rejects(old.transact(sending('old'), at(1, 'old')), isFenced)
    assert.deepEqual(await values(), ['new'])
    assert.deepEqual(await committed(), at(1, 'new'))
    await old.close()
    await successor.close()
  })

  test('returns the refused messages and commits all others in order', async () => {
    const { begin, at } = await scene()
    const small = uniqueName('small')
    const settings = { 'max.message.bytes': '1500' }
    await kafka.client.ensureTopics([{ name: small, partitions: 2, replicas: 1, settings }])
    const noise = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * i * 31 + (i >> 3)) & 255))
    const messages = Array.from({ length: 40 }, (_, i) => message(`v${i}`, `k${i % 4}`))
    messages[7] = { key: 'k3', value: noise }
    messages[20] = { key: 'k0', value: noise }
    const producer = await begin()
    await producer.transact(async (send) => {
      const refusals = await send(small, messages)
      assert.deepEqual(new Set(refusals.map((refusal) => refusal.message)), new Set([messages[7], messages[20]]))
      assert.deepEqual([...new Set(refusals.map(({ error }) => error.code))], ['DATA'])
    }, at(1))
    await producer.close()
    const found = await readAll(kafka.client, small)
    const of = (key: string, list: readonly { key: unknown; value: Buffer | null }[]) =>
      list.filter((each) => each.key === key && each.value !== noise).map(({ value }) => String(value))
    for (const key of ['k0', 'k1', 'k2', 'k3']) assert.deepEqual(of(key, found), of(key, messages))
  })

  test('that was aborted is seen by no reader, however it overlaps with others', async () => {
    const { output, values } = await scene()
    const group = uniqueName('overlapping')
    const begin = (name: string) => {
      const producing = kafka.client.transactional({ id: `${group}/${name}`, group, topic: output, partition: 0 })
      const [isSent, isOver] = [Promise.withResolvers<void>(), Promise.withResolvers<boolean>()]
      const work = async (send: TransactionalSend): Promise<void> => {
        await send(output, [message(`${name}1`)])
        isSent.resolve()
        const isGood = await isOver.promise
        await send(output, [message(`${name}2`)])
        if (!isGood) throw new Error('aborted')
      }
      let producer: TransactionalProducer
      const transacted = producing.then((begun) => {
        producer = begun
        return begun.transact(work, { topic: output, partition: 0, offset: 0n, metadata: name })
      })
      const ended = transacted.catch(() => {})
      return {
        sent: isSent.promise,
        end: async (isGood: boolean) => {
          isOver.resolve(isGood)
          await ended
          await producer.close()
        }
      }
    }
    const begun: ReturnType<typeof begin>[] = []
    for (const name of ['a', 'b', 'c', 'd']) {
      const transaction = begin(name)
      await transaction.sent
      begun.push(transaction)
    }
    // All but b are aborted.
    for (const at of [2, 1, 3, 0]) await begun[at]?.end(at === 1)
    assert.deepEqual(await values(), ['b1', 'b2'])
    assert.deepEqual(
      await values(),
      ['b1', 'b2'],
      'a read also ends when the last messages of a partition were aborted'
    )
  })
})
