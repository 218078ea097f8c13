// Hosts on one partition whose clocks and backlogs have nothing to do with each other: each call is in its windows, exactly,
// and a hostile clock costs its own host alone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Output } from '../../../consumer/handler.ts'
import { Rollups } from '../../../consumer/rollups/rollups.ts'
import type { EventBatch } from '../../../wire/types.ts'
import { batchOf, contextOf, eventOf, ofColumns } from '../support/batches.ts'
import { epochUs } from '../support/call-streams.ts'
import { options, rollupsOf, statusesOf } from './support/rollups-run.ts'

const callsPerBatch = 3

interface Message {
  readonly appendedMs: number
  readonly batch: EventBatch
}

/** The batch of one second of a host: its calls end in the half second before its clock. */
const batchAt = (host: string, number: number, monotonicS: number, wallS: number): EventBatch =>
  batchOf({
    ...{ host, run: host, batch: number },
    clock: { monotonic_us: monotonicS * 1e6, wall_us: epochUs + wallS * 1e6 },
    events: Array.from({ length: callsPerBatch }, (_, i) => eventOf({ time_offset_ns: -(i + 1) * 1e8 }))
  })

/** One batch a second, appended when it was made. */
const live = (host: string, fromS: number, toS: number, first = 1): Message[] =>
  Array.from({ length: toS - fromS }, (_, i) => ({
    appendedMs: (fromS + i) * 1000,
    batch: batchAt(host, first + i, 5000 + fromS + i, fromS + i)
  }))

/** Every batch of a time, appended within seconds after its end. */
const drained = (host: string, fromS: number, toS: number, first: number, atS = toS): Message[] =>
  live(host, fromS, toS, first).map(({ batch }, i, all) => ({
    batch,
    appendedMs: atS * 1000 + (i / all.length) * 5000
  }))

/** Clocks in the year 2100, with steps of hours in both directions. */
const hostile = (fromS: number, toS: number): Message[] =>
  Array.from({ length: toS - fromS }, (_, i) => {
    const jumpS = 74 * 365 * 86_400 + ((i * 7919) % 48) * 3600
    return { appendedMs: (fromS + i) * 1000 + 500, batch: batchAt('hostile', i + 1, 1e9 + jumpS, jumpS) }
  })

const handleAll = (handler: Rollups, messages: readonly Message[]): Output[] => {
  const columns = ofColumns(handler)
  return messages
    .toSorted((a, b) => a.appendedMs - b.appendedMs)
    .flatMap(({ batch, appendedMs }, offset) => [
      ...(columns.handle(batch, contextOf(BigInt(offset), appendedMs)) as Output[])
    ])
}

/** Calls by window of a host, as they were made. */
const madeIn = (messages: readonly Message[], host: string): Map<string, number> => {
  const made = new Map<string, number>()
  for (const { batch } of messages) {
    if (batch.host !== host) continue
    for (const { time_offset_ns } of batch.events) {
      const timeUs = batch.clock.wall_us + time_offset_ns / 1000
      for (const windowMs of options.windowsMs) {
        const start = Math.floor(timeUs / (windowMs * 1000)) * windowMs * 1000
        made.set(`${windowMs} ${start}`, (made.get(`${windowMs} ${start}`) ?? 0) + 1)
      }
    }
  }
  return made
}

/** Calls by window of a host in the last revisions. */
const countedIn = (outputs: readonly Output[], host: string): Map<string, number> => {
  const counted = new Map<string, { count: number; revision: number }>()
  for (const row of rollupsOf(outputs)) {
    if (row.host !== host || row.by !== 'workload') continue
    const key = `${row.window_ms} ${row.window_start}`
    if ((counted.get(key)?.revision ?? 0) < row.revision) counted.set(key, row)
  }
  return new Map([...counted].map(([key, { count }]) => [key, count]))
}

const assertExact = (messages: readonly Message[], outputs: readonly Output[], host: string): void => {
  const made = madeIn(messages, host)
  const counted = countedIn(outputs, host)
  // The last windows are still open.
  const endUs = Math.max(...messages.filter(({ batch }) => batch.host === host).map(({ batch }) => batch.clock.wall_us))
  for (const [key, count] of made) {
    const [windowMs = 0, start = 0] = key.split(' ').map(Number)
    if (start + windowMs * 1000 > endUs - 200_000) continue
    assert.equal(counted.get(key), count, `${host}, window ${key}`)
  }
  for (const row of statusesOf(outputs)) {
    if (row.host === host) assert.deepEqual([row.late, row.outside], [0, 0], host)
  }
}

test('a live host, one that drains an hour-old spool and one in the year 2100 do not harm each other', () => {
  const messages = [
    ...live('live', 3600, 3900),
    // Never seen before: an hour of batches at once, and then live.
    ...drained('draining', 0, 3600, 1, 3700),
    ...live('draining', 3705, 3900, 3601),
    ...hostile(3600, 3900)
  ]
  const handler = new Rollups(options)
  const outputs = handleAll(handler, messages)
  assertExact(messages, outputs, 'live')
  const spooled = messages.filter(({ batch }) => batch.host !== 'draining' || batch.clock.wall_us < epochUs + 3600e6)
  assertExact(spooled, outputs, 'draining')
  assert.ok((handler.counters()['outside'] ?? 0) > 0, 'the hostile host lost its own')
})

test('a host that was silent for minutes and drains its spool continues its windows', () => {
  const messages = [
    ...live('live', 0, 900),
    ...live('away', 0, 100),
    ...drained('away', 100, 600, 101),
    ...live('away', 605, 900, 601),
    ...hostile(0, 900)
  ]
  const outputs = handleAll(new Rollups(options), messages)
  assertExact(messages, outputs, 'live')
  assertExact(messages, outputs, 'away')
})
