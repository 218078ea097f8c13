// An edge that is killed during an outage of Kafka: the events that its spool had on disk are in the topic afterwards,
// once without duplicates, and in order.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { SpoolFile } from '../../producer/deliver/spool-file.ts'
import { loadConfig } from '../../runtime/load-config.ts'
import { decode } from '../../wire/codec.ts'
import { topicName, topicSpecifications } from '../../wire/topics.ts'
import { withoutDuplicates } from '../consumer/support/batches.ts'
import { localKafkaMissing, readAll } from '../support/kafka.ts'
import { OwnKafka } from '../support/own-kafka.ts'
import { eventually, temporaryDirectory } from '../support/ringside.ts'

type Counters = Readonly<Record<string, number>>

interface Edge {
  readonly child: ChildProcess
  readonly counters: () => Counters
}

const startEdge = (args: readonly string[]): Edge => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'numbered-edge.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  let counters: Counters = {}
  let rest = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    const last = lines.at(-1)
    if (last !== undefined) counters = JSON.parse(last) as Counters
  })
  return { child, counters: () => counters }
}

const kill = async ({ child }: Edge): Promise<void> => {
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

/** The numbers of the events on disk; no edge may run. */
const numbersOnDisk = (spoolPath: string): number[] => {
  const file = new SpoolFile(spoolPath, 1 << 30, 1)
  try {
    const batches = file.count === 0 ? [] : file.oldest(Infinity, Infinity)
    return batches.flatMap(({ value }) => decode('EventBatch', value).events.map(({ ret }) => ret))
  } finally {
    file.close()
  }
}

/** Run n numbers its events from n million. */
const million = 1_000_000

const noKafka = await localKafkaMissing()

describe('an edge that is killed while Kafka is away', { skip: noKafka, timeout: 300_000 }, () => {
  test('loses no event that its spool had on disk, however often it is killed', async (t) => {
    const folder = temporaryDirectory(t, 'edge-killed')
    const spoolPath = join(folder, 'edge', 'spool.sqlite')
    const kafka = await OwnKafka.prepare()
    const { client } = kafka
    const config = loadConfig({ topicPrefix: 'killed.' }, undefined, {})
    let edge: Edge | undefined
    t.after(async () => {
      edge?.child.kill('SIGKILL')
      await kafka.remove()
    })
    await kafka.start()
    await client.ensureTopics(topicSpecifications(config))
    let runs = 0
    const start = (): Edge => {
      edge = startEdge([kafka.brokers.join(','), 'killed.', spoolPath, String(++runs * million)])
      return edge
    }
    const onDisk = new Set<number>()
    const noteDisk = (): number => {
      const numbers = numbersOnDisk(spoolPath)
      for (const number of numbers) onDisk.add(number)
      return numbers.length
    }
    const until = (running: Edge, what: string, holds: (counters: Counters) => boolean) =>
      eventually(what, 60, () => holds(running.counters()) || undefined)

    let running = start()
    await until(running, 'first events published', ({ published = 0 }) => published > 1000)
    await kafka.kill()
    for (let kills = 0; kills < 3; kills++) {
      await until(running, 'events on disk', ({ spooled = 0 }) => spooled > 3000)
      await delay(Math.random() * 700)
      await kill(running)
      assert.ok(noteDisk() >= 3000 * (kills + 1))
      running = start()
    }

    // Asked to stop while Kafka is away: all is on disk, and accounted for.
    await until(running, 'events on disk', ({ spooled = 0 }) => spooled > 1000)
    running.child.kill('SIGTERM')
    await once(running.child, 'close')
    const { seen = 0, published = 0, spooled = 0, dropped = 0 } = running.counters()
    assert.deepEqual([published, dropped, spooled], [0, 0, seen])
    noteDisk()
    assert.equal([...onDisk].filter((number) => Math.floor(number / million) === runs).length, seen)

    // Killed again, while it publishes the spool to the new Kafka.
    running = start()
    await until(running, 'a start', ({ seen: made = 0 }) => made > 0)
    await kafka.start()
    await until(running, 'events of earlier runs published', ({ published_earlier = 0 }) => published_earlier > 0)
    await kill(running)
    noteDisk()
    running = start()
    await until(running, 'an empty spool', (now) => (now['published'] ?? 0) > 0 && now['spoolBytes'] === 0)
    running.child.kill('SIGTERM')
    await once(running.child, 'close')
    const final = running.counters()
    assert.deepEqual([final['seen'], final['spooled'], final['dropped']], [final['published'], 0, 0])
    assert.equal(numbersOnDisk(spoolPath).length, 0)

    const batches = (await readAll(client, topicName(config, 'events'))).map(({ value }) => decode('EventBatch', value))
    const kept = withoutDuplicates(batches)
    const numbers = kept.flatMap(({ events }) => events.map(({ ret }) => ret))
    const inTopic = new Set(numbers)
    assert.equal(inTopic.size, numbers.length, 'no event twice')
    assert.deepEqual(
      [...onDisk].filter((number) => !inTopic.has(number)),
      []
    )
    assert.ok(onDisk.size > 10_000)
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
      'in the order in which they were made'
    )
    t.diagnostic(
      `${runs} runs, ${numbers.length} events, ${onDisk.size} were on disk, ${batches.length - kept.length} duplicates`
    )
  })
})
