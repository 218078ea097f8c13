import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { HandlerModule, Output, StatefulHandler } from '../../../consumer/handler.ts'
import { rollupsModule } from '../../../consumer/rollups/rollups.ts'
import { RingsideError } from '../../../runtime/errors.ts'
import type { KafkaClient, Message } from '../../../wire/client.ts'
import { decode, encode } from '../../../wire/codec.ts'
import type { EventBatch } from '../../../wire/types.ts'
import { kafkaMissing, readAll, withKafka } from '../../support/kafka.ts'
import { samples } from '../../support/records.ts'
import { batchOf, eventOf, summaryOf } from '../support/batches.ts'
import { loopsOn, messageOf, toMine } from '../support/loops.ts'

describe('the run of a partition', { skip: await kafkaMissing(), timeout: 120_000 }, () => {
  const kafka = withKafka()
  const { createTopics, publish, start, mine } = loopsOn(kafka)

  test('a handler that hangs fails after its time: the message goes to deadletter, and the loop continues', async () => {
    const topicPrefix = await createTopics()
    await publish(topicPrefix, [messageOf(1), messageOf(2), messageOf(3)])
    const late = Promise.withResolvers<Output[]>()
    const module = async ({ batch }: EventBatch): Promise<Output[]> =>
      batch === 2 ? late.promise : [toMine(topicPrefix, 'k', batch)]
    const loop = await start(topicPrefix, module, kafka.client, 'earliest', 200)
    await loop.drain()
    late.resolve([toMine(topicPrefix, 'k', 'late')])
    assert.deepEqual(await mine(topicPrefix), ['1', '3'])
    const [letter, ...others] = await readAll(kafka.client, `${topicPrefix}deadletter`)
    assert.equal(others.length, 0)
    assert.match(letter?.headers?.['reason'] ?? '', /not answered for 200 ms \(consumers\.handlerTimeoutMs\)/)
    assert.deepEqual([letter?.headers?.['code'], letter?.headers?.['offset']], ['HANDLER', '1'])
  })

  test('a service whose handler hangs stops, and the message is handled after the restart', async () => {
    const topicPrefix = await createTopics()
    await publish(topicPrefix, [messageOf(1)])
    const called = Promise.withResolvers<void>()
    const hanging = await start(topicPrefix, () => {
      called.resolve()
      return new Promise<Output[]>(() => {})
    })
    await called.promise
    await hanging.stop()
    const loop = await start(topicPrefix, ({ batch }) => [toMine(topicPrefix, 'k', batch)])
    await loop.drain()
    assert.deepEqual(await mine(topicPrefix), ['1'])
    assert.deepEqual(await readAll(kafka.client, `${topicPrefix}deadletter`), [])
  })

  test('a record batch over the bounds goes to deadletter as one letter, and the loop continues in its place', async () => {
    const topicPrefix = await createTopics()
    const bomb: Message = { key: 'x', value: Buffer.alloc(40 << 20) }
    for (const message of [messageOf(1), bomb, messageOf(2)]) await publish(topicPrefix, [message])
    let created = 0
    const handled: number[] = []
    const create = (): StatefulHandler => {
      created += 1
      const checkpoint = () => ({ resumeOffset: undefined, metadata: '' })
      const handle = ({ batch }: EventBatch): Output[] => {
        handled.push(batch)
        return []
      }
      return { handle, checkpoint, restore: () => {} }
    }
    const loop = await start(topicPrefix, { create })
    await loop.drain()
    assert.deepEqual(handled, [1, 2])
    assert.equal(created, 1)
    const { lagRecords, deadletters } = loop.counters()
    assert.deepEqual({ lagRecords, deadletters }, { lagRecords: 0, deadletters: 1 })
    const [letter, ...others] = await readAll(kafka.client, `${topicPrefix}deadletter`)
    assert.equal(others.length, 0)
    const { time: _, ...where } = letter?.headers ?? {}
    assert.deepEqual(where, {
      reason: 'offset 1 cannot be read: zstd: decompresses to more than 33554432 bytes',
      code: 'DATA',
      service: 'test',
      topic: `${topicPrefix}events`,
      partition: '0',
      offset: '1',
      last_offset: '1'
    })
    assert.equal(letter?.value.readBigInt64BE(0), 1n)
    assert.equal(letter?.value.readInt32BE(8), (letter?.value.length ?? 0) - 12)
  })

  test('a message that cannot be decoded goes to deadletter unchanged, and the loop continues', async () => {
    const topicPrefix = await createTopics()
    const broken = Buffer.from('not avro')
    await publish(topicPrefix, [messageOf(1), { key: 'web-9', value: broken }, { key: 'x', value: null }, messageOf(2)])
    const loop = await start(topicPrefix, ({ batch }) => [toMine(topicPrefix, 'k', batch)])
    await loop.drain()
    assert.deepEqual(await mine(topicPrefix), ['1', '2'])
    const [first, second] = await readAll(kafka.client, `${topicPrefix}deadletter`)
    assert.equal(first?.key, 'web-9')
    assert.deepEqual(first?.value, broken)
    const { reason, time, ...where } = first?.headers ?? {}
    assert.match(reason ?? '', /cannot decode EventBatch/)
    assert.ok(Math.abs(Date.now() - Date.parse(time ?? '')) < 60_000)
    assert.deepEqual(where, {
      code: 'DATA',
      service: 'test',
      topic: `${topicPrefix}events`,
      partition: '0',
      offset: '1'
    })
    assert.equal(second?.headers?.['offset'], '2')
    assert.equal(loop.counters().deadletters, 2)
  })

  test('when the handler throws, the batch becomes a dead letter and none of its outputs is published', async () => {
    const topicPrefix = await createTopics()
    const sent = [messageOf(1), messageOf(2), messageOf(3), messageOf(4)]
    await publish(topicPrefix, sent)
    const loop = await start(topicPrefix, function* ({ batch }) {
      yield toMine(topicPrefix, 'k', batch)
      if (batch === 2) throw new Error('cannot do two')
      // A value that does not fit its schema is also a failure of the handler.
      if (batch === 3) yield { to: 'rollups', value: { ...samples.Rollup, count: Number.NaN } }
    })
    await loop.drain()
    assert.deepEqual(await mine(topicPrefix), ['1', '4'])
    const letters = await readAll(kafka.client, `${topicPrefix}deadletter`)
    assert.deepEqual(
      letters.map(({ value, headers }) => [headers?.['code'], value]),
      [
        ['HANDLER', sent[1]?.value],
        ['SOFTWARE', sent[2]?.value]
      ]
    )
    assert.equal(letters[0]?.headers?.['reason'], 'cannot do two')
  })

  test('a handler gets each event once, and no inconsistent batch', async () => {
    const topicPrefix = await createTopics()
    const of = (fields: Partial<EventBatch>): Message => ({
      key: 'host-a',
      value: encode('EventBatch', batchOf(fields))
    })
    const [one, two, three] = [eventOf(), eventOf(), eventOf()] as const
    const first = of({ batch: 1, events: [one, two] })
    await publish(topicPrefix, [
      first,
      first,
      of({ run: 'run-2', batch: 1, continues: { run: 'run-1', batch: 0 }, events: [two, three] }),
      of({ run: 'run-2', batch: 2, events: [eventOf({ process: 1 })] })
    ])
    const loop = await start(topicPrefix, ({ events }) =>
      events.map(({ seq }) => toMine(topicPrefix, 'k', seq - one.seq))
    )
    await loop.drain()
    assert.deepEqual(await mine(topicPrefix), ['0', '1', '2'])
    const { events, duplicates, replayed, deadletters } = loop.counters()
    assert.deepEqual(
      { events, duplicates, replayed, deadletters },
      { events: 3, duplicates: 3, replayed: 0, deadletters: 1 }
    )
  })

  test('a row with an impossible value becomes a dead letter, and the rest of its batch is handled once', async () => {
    const topicPrefix = await createTopics()
    const [good, bad] = [eventOf(), eventOf({ duration_ns: -1 })]
    const value = encode('EventBatch', batchOf({ events: [bad, good] }))
    await publish(topicPrefix, [{ key: 'host-a', value }])
    const loop = await start(topicPrefix, ({ events }) =>
      events.map(({ seq }) => toMine(topicPrefix, 'k', seq - good.seq))
    )
    await loop.drain()
    assert.deepEqual(await mine(topicPrefix), ['0'])
    const { events, rejected, deadletters } = loop.counters()
    assert.deepEqual({ events, rejected, deadletters }, { events: 1, rejected: 1, deadletters: 1 })
    const [letter] = await readAll(kafka.client, `${topicPrefix}deadletter`)
    assert.deepEqual(letter?.value, value)
    assert.match(
      String(letter?.headers?.['reason']),
      /^1 of 2 rows are left out, the others are handled: an event of -1 ns$/
    )
  })

  test('counted calls become rollups once, and are counted apart from events', async () => {
    const topicPrefix = await createTopics()
    const summaries = [summaryOf({ syscall: 'other', call: 'getppid', count: 7, time_offset_ns: -200_000_000 })]
    const last = { run: 'run-2', final: true, continues: { run: 'run-1', batch: 0 } }
    await publish(
      topicPrefix,
      [batchOf({ summaries }), batchOf({ ...last, summaries })].map((batch) => ({
        key: 'host-a',
        value: encode('EventBatch', batch)
      }))
    )
    const loop = await start(
      topicPrefix,
      rollupsModule({ windowsMs: [1000], by: [], partialAfterMs: 0, maxKeys: 10, latenessMs: 1000 })
    )
    await loop.drain()
    const rollups = (await readAll(kafka.client, `${topicPrefix}rollups`)).map(({ value }) =>
      decode('Rollup', value ?? Buffer.alloc(0))
    )
    assert.deepEqual(
      rollups.map(({ syscall, count, failed, bytes }) => [syscall, count, failed, bytes]),
      [['getppid', 7, 1, 12_288]]
    )
    assert.deepEqual([loop.counters()['counted'], loop.counters().events], [7, 0])
  })

  test('a dead letter that is sent again while the service runs is no duplicate', async () => {
    const topicPrefix = await createTopics()
    let failures = 1
    const loop = await start(topicPrefix, ({ batch }) => {
      if (failures-- > 0) throw new Error('not today')
      return [toMine(topicPrefix, 'k', batch)]
    })
    await publish(topicPrefix, [messageOf(1)])
    for (let i = 0; loop.counters().batches < 1 && i < 1000; i++) await delay(10)
    const message = messageOf(1)
    await publish(topicPrefix, [message, message])
    await loop.drain()
    assert.deepEqual(await mine(topicPrefix), ['1'])
    assert.equal(loop.counters().duplicates, 2)
  })

  /** Publishes pairs of batches as "1+2": keeps the first of a pair until the second arrives. */
  class Pairs implements StatefulHandler {
    readonly log: string[] = []
    readonly #topicPrefix: string
    #first: { batch: number; offset: bigint } | undefined

    constructor(topicPrefix: string) {
      this.#topicPrefix = topicPrefix
    }

    handle({ batch }: { batch: number }, { offset }: { offset: bigint }): Output[] {
      this.log.push(`handle ${batch}`)
      const first = this.#first
      this.#first = first === undefined ? { batch, offset } : undefined
      return first === undefined ? [] : [toMine(this.#topicPrefix, 'k', `${first.batch}+${batch}`)]
    }

    checkpoint() {
      return { resumeOffset: this.#first?.offset, metadata: JSON.stringify({ waiting: this.#first?.batch ?? null }) }
    }

    restore(metadata: string): void {
      this.log.push(`restore ${metadata}`)
    }
  }

  test('after a restart a stateful handler gets its metadata, and the batches from its resume offset on', async () => {
    const topicPrefix = await createTopics()
    const handlers: Pairs[] = []
    const create = () => {
      const handler = new Pairs(topicPrefix)
      handlers.push(handler)
      return handler
    }
    await publish(topicPrefix, [messageOf(1), messageOf(2), messageOf(3)])
    const before = await start(topicPrefix, { create })
    await before.drain()
    await publish(topicPrefix, [messageOf(4)])
    const after = await start(topicPrefix, { create })
    await after.drain()
    assert.deepEqual(
      handlers.map(({ log }) => log),
      [
        ['handle 1', 'handle 2', 'handle 3'],
        ['restore {"waiting":3}', 'handle 3', 'handle 4']
      ]
    )
    assert.deepEqual(await mine(topicPrefix), ['"1+2"', '"3+4"'])
  })

  test('what is in deadletter is not sent there again when a restart replays it', async () => {
    const topicPrefix = await createTopics()
    const bomb: Message = { key: 'x', value: Buffer.alloc(40 << 20) }
    const broken: Message = { key: 'x', value: Buffer.from('not avro') }
    for (const message of [messageOf(1), broken, messageOf(2), bomb]) await publish(topicPrefix, [message])
    const handled: number[] = []
    const create = (): StatefulHandler => ({
      handle: ({ batch }) => {
        handled.push(batch)
        return []
      },
      checkpoint: () => ({ resumeOffset: 0n, metadata: '' }),
      restore: () => {}
    })
    const letters = async () =>
      (await readAll(kafka.client, `${topicPrefix}deadletter`)).map(({ headers }) => headers?.['offset'])
    for (const [expected, message] of [
      [['1', '3'], broken],
      [['1', '3', '4'], bomb],
      [['1', '3', '4', '5'], messageOf(3)],
      [['1', '3', '4', '5'], messageOf(4)]
    ] as const) {
      const loop = await start(topicPrefix, { create })
      await loop.drain()
      assert.deepEqual(await letters(), expected)
      await publish(topicPrefix, [message])
    }
    assert.deepEqual(handled, [1, 2, 1, 2, 1, 2, 1, 2, 3])
  })

  test('a handler whose state cannot be restored starts without it', async () => {
    const topicPrefix = await createTopics()
    const create = (): StatefulHandler => ({
      handle: ({ batch }) => [toMine(topicPrefix, 'k', batch)],
      checkpoint: () => ({ resumeOffset: undefined, metadata: 'of another version' }),
      restore: () => {
        throw new Error('unreadable')
      }
    })
    for (const batch of [1, 2]) {
      await publish(topicPrefix, [messageOf(batch)])
      const loop = await start(topicPrefix, { create })
      await loop.drain()
    }
    assert.deepEqual(await mine(topicPrefix), ['1', '2'])
  })

  test('an output that the broker refuses becomes a dead letter, and the others are published', async () => {
    const topicPrefix = await createTopics({ 'max.message.bytes': '2000' })
    await publish(topicPrefix, [messageOf(1)])
    const noise = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * i * 31 + (i >> 3)) & 255))
    const loop = await start(topicPrefix, () => [
      toMine(topicPrefix, 'k', 'before'),
      toMine(topicPrefix, 'k', noise),
      toMine(topicPrefix, 'k', 'after')
    ])
    await loop.drain()
    assert.deepEqual(await mine(topicPrefix), ['"before"', '"after"'])
    const [letter] = await readAll(kafka.client, `${topicPrefix}deadletter`)
    assert.deepEqual(letter?.value, noise)
    assert.equal(letter?.headers?.['topic'], `${topicPrefix}mine`)
  })

  test('an offset is committed only with its outputs, and failed transactions are retried', async () => {
    const topicPrefix = await createTopics()
    await publish(topicPrefix, [messageOf(1), messageOf(2)])
    let refusals = 0
    const failing = (times: number): KafkaClient => ({
      ...kafka.client,
      transactional: async (options) => {
        const producer = await kafka.client.transactional(options)
        return {
          close: () => producer.close(),
          transact: (work, commit) => {
            if (refusals >= times) return producer.transact(work, commit)
            refusals += 1
            return Promise.reject(new RingsideError('UNAVAILABLE', 'away'))
          }
        }
      }
    })
    const copy: HandlerModule = ({ batch }) => [toMine(topicPrefix, 'k', batch)]
    const never = await start(topicPrefix, copy, failing(Number.POSITIVE_INFINITY))
    for (let i = 0; refusals < 2 && i < 400; i++) await delay(20)
    await never.stop()
    assert.equal(never.counters().other, 0)
    refusals = 0
    const eventually = await start(topicPrefix, copy, failing(3))
    await eventually.drain()
    assert.equal(refusals, 3)
    assert.deepEqual(await mine(topicPrefix), ['1', '2'])
  })

  test('batches without outputs are committed soon, several in one transaction', async () => {
    const topicPrefix = await createTopics()
    let transactions = 0
    const client: KafkaClient = {
      ...kafka.client,
      transactional: async (options) => {
        const producer = await kafka.client.transactional(options)
        return {
          close: () => producer.close(),
          transact: (work, commit) => {
            transactions += 1
            return producer.transact(work, commit)
          }
        }
      }
    }
    const loop = await start(topicPrefix, () => [], client)
    const fetches = 20
    for (let i = 1; i <= fetches; i++) {
      await publish(topicPrefix, [messageOf(i)])
      for (let polls = 0; loop.counters().batches < i && polls < 3000; polls++) await delay(5)
    }
    const committed = async () =>
      (await kafka.client.progress([`${topicPrefix}test`], [`${topicPrefix}events`]))[0]?.commit.offset
    for (let polls = 0; (await committed()) !== BigInt(fetches) && polls < 600; polls++) await delay(50)
    assert.equal(await committed(), BigInt(fetches))
    assert.ok(transactions < fetches, `${transactions} transactions`)
    await loop.stop()
  })
})
