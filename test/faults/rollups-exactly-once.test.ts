import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { hostHandler } from '../../consumer/loop/input.ts'
import { rollupsModule } from '../../consumer/rollups/rollups.ts'
import type { Config } from '../../runtime/config.ts'
import { loadConfig } from '../../runtime/load-config.ts'
import type { Message } from '../../wire/client.ts'
import { decode, encode } from '../../wire/codec.ts'
import { topicName, topicSpecifications } from '../../wire/topics.ts'
import type { Rollup } from '../../wire/types.ts'
import { batchOf, contextOf, eventOf, processOf } from '../consumer/support/batches.ts'
import { highestRevisions, rowKeyOf } from '../consumer/support/call-streams.ts'
import { kafkaMissing, readAll, uniqueName, withKafka } from '../support/kafka.ts'
import { testLog } from '../support/log.ts'

const hosts = 10
const batchesPerHost = 100
const eventsPerBatch = 1000
const partitions = 3
const epochUs = 1_767_225_600_000_000

/** The instances that are killed together, for each kill. */
const kills = [
  [0, 1, 2],
  [0, 1],
  [0, 1, 2],
  [1, 2]
]

/** One second of a host. Every fifth batch has a tenth of its calls three seconds late; one call in seven fails. */
const batchOfHost = (host: string, i: number): Message => {
  const processes = [1, 2, 3].map((pid) => processOf({ pid, start_us: pid, exe: `/bin/${pid % 2}` }))
  const events = Array.from({ length: eventsPerBatch }, (_, n) =>
    eventOf({
      syscall: n % 2 === 0 ? 'connect' : 'openat',
      process: n % 3,
      cpu: n % 2,
      seq: i * eventsPerBatch + n,
      time_offset_ns: (i > 0 && i % 5 === 0 && n % 10 === 0 ? -3e9 : 0) - n * 1e6,
      duration_ns: 1000 + ((n * 7919) % 100_000),
      ret: n % 7 === 0 ? -2 : 3
    })
  )
  const wall_us = epochUs + i * 1_000_000
  const final = i === batchesPerHost - 1
  const clock = { monotonic_us: wall_us - epochUs, wall_us }
  return {
    key: host,
    value: encode('EventBatch', batchOf({ host, run: host, batch: i + 1, final, clock, processes, events }))
  }
}

/** One batch a second from each host; a tenth of the batches is sent again two seconds later. */
const secondsOfStream = (): Message[][] => {
  const seconds = Array.from({ length: batchesPerHost }, (): Message[] => [])
  for (let h = 0; h < hosts; h++) {
    for (let i = 0; i < batchesPerHost; i++) {
      const message = batchOfHost(`host-${h}`, i)
      seconds[i]?.push(message)
      if ((i + h) % 10 === 3) seconds[i + 2]?.push(message)
    }
  }
  return seconds
}

const sumOf = (rows: Iterable<Rollup>, count: (row: Rollup) => number): number => {
  let sum = 0
  for (const row of rows) sum += count(row)
  return sum
}

/** Rates may differ by the remaining weight of calls older than the time that a restart replays. */
const withoutRate = ({ rate_ewma: _, ...row }: Rollup): Omit<Rollup, 'rate_ewma'> => row

describe('a million events through three instances of rollups', {
  skip: await kafkaMissing(),
  timeout: 400_000
}, () => {
  const kafka = withKafka()

  /** The rollups of one handler for each partition that reads the whole topic. */
  const recompute = async (config: Config): Promise<Rollup[]> => {
    const module = rollupsModule(config.rollups)
    const hosted = Array.from({ length: partitions }, (_, partition) =>
      hostHandler(module, 'events', partition, testLog)
    )
    const rows: Rollup[] = []
    for (const { partition, value, offset } of await readAll(kafka.client, topicName(config, 'events'))) {
      const { input, handler } = hosted[partition] ?? assert.fail()
      const unseen = input.unseenOf(input.read(value))
      if (unseen === undefined) continue
      for (const output of await handler.handle(unseen, contextOf(offset))) {
        if (output.to === 'rollups') rows.push(output.value)
      }
      input.add(unseen)
    }
    return rows
  }

  test('each event is counted once, despite ten kills and two rebalances', async (t) => {
    const topicPrefix = `${uniqueName('million')}.`
    const config = loadConfig({ brokers: [...kafka.brokers], topicPrefix, kafka: { partitions } }, undefined, {})
    await kafka.client.ensureTopics(topicSpecifications(config))
    const instances: ChildProcess[] = []
    t.after(() => {
      for (const instance of instances) instance.kill('SIGKILL')
    })
    const start = (): ChildProcess => {
      const file = join(import.meta.dirname, 'rollups-instance.ts')
      return spawn(process.execPath, [file, kafka.brokers.join(','), topicPrefix], {
        stdio: ['ignore', 'pipe', 'inherit']
      })
    }
    const commits = async (): Promise<string[]> => {
      const found = await kafka.client.progress([`${topicPrefix}rollups`], [topicName(config, 'events')])
      return Array.from({ length: partitions }, (_, partition) => {
        const commit = found.find((each) => each.commit.partition === partition)?.commit
        return `${commit?.offset} ${commit?.metadata}`
      })
    }
    /** Publishes seconds of the stream, and waits until each partition has processed some of them. */
    const seconds = secondsOfStream()
    const producer = await kafka.client.producer()
    const phases = kills.length + 3
    const flow = async (): Promise<Promise<void>> => {
      const before = await commits()
      const part = seconds.splice(0, Math.ceil(batchesPerHost / phases))
      const publishing = (async () => {
        for (const second of part) {
          await producer.send(topicName(config, 'events'), second)
          await delay(20)
        }
      })()
      while ((await commits()).some((commit, partition) => commit === before[partition])) await delay(20)
      return publishing
    }

    for (let i = 0; i < 3; i++) instances.push(start())
    for (const victims of kills) {
      const publishing = await flow()
      for (const victim of victims) instances[victim]?.kill('SIGKILL')
      await Promise.all(victims.map((victim) => once(instances[victim] ?? assert.fail(), 'exit')))
      for (const victim of victims) instances[victim] = start()
      await publishing
    }
    await flow()
    instances[0]?.kill('SIGTERM')
    await once(instances[0] ?? assert.fail(), 'exit')
    await flow()
    instances[0] = start()
    await once(instances[0].stdout ?? assert.fail(), 'data')
    await flow()
    assert.equal(seconds.length, 0)
    await producer.close()
    for (const instance of instances) instance.kill('SIGTERM')
    const ended = await Promise.all(instances.map((instance) => instance.exitCode ?? once(instance, 'exit')))
    assert.deepEqual(ended, [
      [0, null],
      [0, null],
      [0, null]
    ])

    const rows = (await readAll(kafka.client, topicName(config, 'rollups'))).map(({ value }) => decode('Rollup', value))
    assert.equal(
      new Set(rows.map((row) => `${rowKeyOf(row)} ${row.revision}`)).size,
      rows.length,
      'no row is there twice'
    )
    const highest = highestRevisions(rows)
    const all = hosts * batchesPerHost * eventsPerBatch
    for (const windowMs of config.rollups.windowsMs) {
      const ofLength = [...highest.values()].filter((row) => row.window_ms === windowMs && row.by === 'workload')
      assert.equal(
        sumOf(ofLength, ({ count }) => count),
        all,
        `calls in windows of ${windowMs} ms`
      )
      assert.equal(
        sumOf(ofLength, ({ failed, expected }) => failed + expected),
        hosts * batchesPerHost * Math.ceil(eventsPerBatch / 7)
      )
    }
    const expected = highestRevisions(await recompute(config))
    assert.equal(highest.size, expected.size)
    for (const [key, row] of expected) {
      const found = highest.get(key) ?? assert.fail(`no row ${key}`)
      assert.deepEqual(withoutRate(found), withoutRate(row))
      assert.ok(Math.abs(found.rate_ewma - row.rate_ewma) < 0.01 * (1 + row.rate_ewma), `${key}: ${found.rate_ewma}`)
    }
    assert.deepEqual(await readAll(kafka.client, topicName(config, 'deadletter')), [])
  })
})
