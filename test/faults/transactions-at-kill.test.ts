import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { type LocalKafka, startLocalKafka } from '../../deploy/kafka/local-kafka.ts'
import { createKafkaClient } from '../../wire/kafka.ts'
import { localKafkaMissing, readAll } from '../support/kafka.ts'
import { testLog } from '../support/log.ts'
import { freePort } from '../support/ringside.ts'

const skip = await localKafkaMissing()

/** Beside each other, so that the kill finds some whose end is decided and whose markers are not written. */
const producers = 30
const plain = (name: string) => ({ name, partitions: 1, replicas: 1, settings: {} })

describe('a broker that is killed as transactions end', { skip, timeout: 180_000 }, async () => {
  const stateDir = await mkdtemp(join(tmpdir(), 'ringside-faults-'))
  const port = await freePort()
  const client = createKafkaClient({ brokers: [`127.0.0.1:${port}`], clientId: 'ringside-test', log: testLog })
  const start = () => startLocalKafka({ stateDir, port, heapMb: 256, log: testLog })
  let kafka: LocalKafka | undefined
  after(async () => {
    await kafka?.stop()
    await rm(stateDir, { recursive: true, force: true })
  })

  test('has of each its messages and its offset, or neither', async () => {
    kafka = await start()
    await client.ensureTopics([plain('input'), plain('out')])
    const groupOf = (i: number): string => `group-${i}`
    const begin = (i: number) =>
      client.transactional({ id: groupOf(i), group: groupOf(i), topic: 'input', partition: 0 })
    const commit = { topic: 'input', partition: 0, offset: 0n }
    const send = (i: number, value: string) => ({ key: `${i}`, value: Buffer.from(value) })
    const begun = await Promise.all(Array.from({ length: producers }, (_, i) => begin(i)))
    const killed = Promise.withResolvers<void>()
    const pid = kafka.pid
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
            process.kill(pid, 'SIGKILL')
            killed.resolve()
            return true
          },
          () => false
        )
    )
    await killed.promise
    await kafka.exited
    for (const producer of begun) void producer.close()
    kafka = await start()
    const acknowledged = (await Promise.all(ended)).flatMap((isDone, i) => (isDone ? [`${i}`] : []))
    // Whatever was left open is ended by the successor's first transaction at the latest.
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
