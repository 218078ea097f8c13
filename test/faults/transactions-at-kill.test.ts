import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { localKafkaMissing, readAll } from '../support/kafka.ts'
import { OwnKafka } from '../support/own-kafka.ts'

const skip = await localKafkaMissing()

/** At once, so that the kill hits some transactions that are decided but whose markers are not written. */
const producers = 30
const plain = (name: string) => ({ name, partitions: 1, replicas: 1, settings: {} })

describe('a broker that is killed while transactions end', { skip, timeout: 180_000 }, async () => {
  const kafka = await OwnKafka.prepare()
  const { client } = kafka
  after(() => kafka.remove())

  test('has the messages and the offset of each transaction, or neither', async () => {
    await kafka.start()
    await client.ensureTopics([plain('input'), plain('out')])
    const groupOf = (i: number): string => `group-${i}`
    const begin = (i: number) =>
      client.transactional({ id: groupOf(i), group: groupOf(i), topic: 'input', partition: 0 })
    const commit = { topic: 'input', partition: 0, offset: 0n }
    const send = (i: number, value: string) => ({ key: `${i}`, value: Buffer.from(value) })
    const begun = await Promise.all(Array.from({ length: producers }, (_, i) => begin(i)))
    const killed = Promise.withResolvers<void>()
    const ended = begun.map((producer, i) =>
      producer
        .transact(
          async (publish) => {
            await publish('out', [send(i, 'before')])
          },
          { ...commit, metadata: 'before' }
        )
        .then(
          () => {
            kafka.killNow()
            killed.resolve()
            return true
          },
          () => false
        )
    )
    await killed.promise
    await kafka.kill()
    for (const producer of begun) void producer.close()
    await kafka.start()
    const acknowledged = (await Promise.all(ended)).flatMap((isDone, i) => (isDone ? [`${i}`] : []))
    // The successor's first transaction ends at the latest the one that was left open.
    const offsets = new Map<string, string>()
    for (let i = 0; i < producers; i++) {
      const successor = await begin(i)
      const [progress] = await client.progress([groupOf(i)], ['input'])
      offsets.set(`${i}`, progress?.commit.metadata ?? 'none')
      await successor.transact(
        async (publish) => {
          await publish('out', [send(i, 'after')])
        },
        { ...commit, metadata: 'after' }
      )
      await successor.close()
    }
    const sent = (await readAll(client, 'out')).filter(({ value }) => String(value) === 'before')
    assert.deepEqual(
      acknowledged.filter((key) => offsets.get(key) !== 'before'),
      []
    )
    assert.deepEqual(
      sent.map(({ key }) => key).sort(),
      [...offsets].flatMap(([key, metadata]) => (metadata === 'before' ? [key] : [])).sort()
    )
  })
})
