import assert from 'node:assert/strict'
import { test } from 'node:test'
import { columnInput, eventInput, type Input } from '../../../consumer/loop/input.ts'
import { columnsOf } from '../../../wire/columns-of.ts'
import type { Event, EventBatch } from '../../../wire/types.ts'
import { trimmed } from '../../support/columns.ts'
import { testLog } from '../../support/log.ts'
import { batchOf, eventOf, summaryOf } from '../support/batches.ts'
import { random } from '../support/random.ts'

type EventInput = Pick<Input<EventBatch>, 'unseenOf' | 'add'>

/** Deduplicates batches as objects and as columns, which must agree. */
const inBothForms = (): EventInput => {
  const events = eventInput()
  const columns = columnInput(testLog)
  return {
    unseenOf: (batch) => {
      const unseen = events.unseenOf(batch)
      const found = columns.unseenOf(columnsOf(batch))
      assert.deepEqual(found && trimmed(found), unseen && columnsOf(unseen))
      return unseen
    },
    add: (batch) => {
      events.add(batch)
      columns.add(columnsOf(batch))
    }
  }
}

/** Passes a batch through as the consume loop does. */
const take = (seen: EventInput, batch: EventBatch): EventBatch | undefined => {
  const unseen = seen.unseenOf(batch)
  if (unseen !== undefined) seen.add(unseen)
  return unseen
}

const seqsOf = (batch: EventBatch | undefined): number[] | undefined => batch?.events.map(({ seq }) => seq)
const events = (...seqs: number[]): Event[] => seqs.map((seq) => eventOf({ seq }))

test('a batch without duplicates passes unchanged', () => {
  const seen = inBothForms()
  const batch = batchOf({ events: events(1, 2, 3) })
  assert.equal(take(seen, batch), batch)
})

test('a batch that was sent again is a duplicate, also after later batches and without events', () => {
  const seen = inBothForms()
  const batches = [batchOf({ batch: 1, events: events(1) }), batchOf({ batch: 2 }), batchOf({ batch: 3 })]
  for (const batch of batches) take(seen, batch)
  assert.deepEqual(
    batches.map((batch) => take(seen, batch)),
    [undefined, undefined, undefined]
  )
})

test('rows that an edge sends again after a takeover are dropped, and the rest of its batches is kept', () => {
  const seen = inBothForms()
  take(seen, batchOf({ batch: 7, events: events(1, 2, 3), summaries: [summaryOf({ seq: 1 })] }))
  take(seen, batchOf({ batch: 8, events: events(5, 6), summaries: [summaryOf({ seq: 2 })] }))
  const first = batchOf({
    run: 'run-2',
    batch: 1,
    continues: { run: 'run-1', batch: 7 },
    drops: [{ class: 'io', reason: 'ring_full', count: 1 }],
    events: [...events(4, 5), eventOf({ cpu: 1, seq: 5 })],
    summaries: [summaryOf({ seq: 2 }), summaryOf({ seq: 3 })]
  })
  assert.deepEqual(take(seen, first), {
    ...first,
    events: [first.events[0], first.events[2]],
    summaries: [first.summaries[1]]
  })
  assert.deepEqual(seqsOf(take(seen, batchOf({ run: 'run-2', batch: 2, events: events(6, 7) }))), [7])
})

test('duplicates are dropped when the edge that took over died before a batch of it was durable', () => {
  const seen = inBothForms()
  const continues = { run: 'run-1', batch: 1 }
  take(seen, batchOf({ batch: 1, events: events(1) }))
  take(seen, batchOf({ run: 'run-2', batch: 1, continues, events: events(2, 3) }))
  assert.deepEqual(seqsOf(take(seen, batchOf({ run: 'run-3', batch: 1, continues, events: events(2, 3, 4) }))), [4])
})

test('duplicates are dropped when a hundred edges in turn died before a batch of theirs was durable', () => {
  const seen = inBothForms()
  const continues = { run: 'run-1', batch: 1 }
  take(seen, batchOf({ batch: 1, events: events(1) }))
  take(seen, batchOf({ run: 'run-2', batch: 1, continues, events: events(2) }))
  for (let run = 3; run < 100; run++) {
    assert.deepEqual(seqsOf(take(seen, batchOf({ run: `run-${run}`, batch: 1, continues, events: events(2) }))), [])
  }
})

test('a new run without a takeover, such as a recording played again, and a run of another host have no duplicates', () => {
  const seen = inBothForms()
  take(seen, batchOf({ events: events(1, 2) }))
  assert.deepEqual(seqsOf(take(seen, batchOf({ run: 'run-2', events: events(1, 2) }))), [1, 2])
  assert.deepEqual(seqsOf(take(seen, batchOf({ host: 'host-b', events: events(1, 2) }))), [1, 2])
})

test('a batch whose handler failed is no duplicate when it is sent again', () => {
  const seen = inBothForms()
  const batch = batchOf({ events: events(1) })
  assert.equal(seen.unseenOf(batch), batch)
  assert.equal(seen.unseenOf(batch), batch)
})

test('a batch of a run that ended in order is still a duplicate when it is sent again', () => {
  const seen = inBothForms()
  const last = batchOf({ batch: 2, final: true, events: events(2) })
  take(seen, batchOf({ events: events(1) }))
  take(seen, last)
  assert.equal(take(seen, last), undefined)
})

test('after 16 later runs of a host, the first run is evicted and counts as new', () => {
  const seen = inBothForms()
  const runs = Array.from({ length: 17 }, (_, i) => batchOf({ run: `run-${i}`, events: events(i) }))
  for (const batch of runs) take(seen, batch)
  assert.equal(take(seen, runs[1] as EventBatch), undefined)
  assert.equal(take(seen, runs[0] as EventBatch), runs[0])
})

test('a number far below the highest one is no duplicate, however late it arrives', () => {
  const seen = inBothForms()
  take(seen, batchOf({ batch: 1, events: events(1, 1_000_000_000) }))
  assert.deepEqual(seqsOf(take(seen, batchOf({ batch: 2, events: events(2, 3, 999_999_999) }))), [2, 3, 999_999_999])
})

test('numbers below a gap expire after two to four minutes on the host clock, and count as new', () => {
  const seen = inBothForms()
  const at = (seconds: number, batch: number, seqs: number[]): EventBatch =>
    batchOf({ batch, clock: { monotonic_us: seconds * 1e6, wall_us: 0 }, events: events(...seqs) })
  take(seen, at(0, 1, [1, 3]))
  take(seen, at(119, 2, [5]))
  assert.deepEqual(seqsOf(seen.unseenOf(at(119, 3, [1, 3, 5]))), [])
  take(seen, at(121, 3, [7]))
  assert.deepEqual(seqsOf(seen.unseenOf(at(121, 4, [3, 5, 7]))), [])
  take(seen, at(242, 4, [9]))
  take(seen, at(363, 5, [10]))
  assert.deepEqual(seqsOf(seen.unseenOf(at(363, 6, [1, 3, 5, 7, 9, 10]))), [1, 3, 5, 7])
})

for (let seed = 1; seed <= 20; seed++) {
  test(`every event and summary of edges that die and are taken over passes once (${seed})`, () => {
    const next = random(seed)
    const pick = (below: number): number => Math.floor(next() * below)
    const seqs = [0, 0, 0]
    // Some numbers are missing, and some arrive out of order.
    const records = Array.from({ length: 4000 }, (_, i) => {
      const cpu = pick(3)
      seqs[cpu] = (seqs[cpu] as number) + (next() < 0.1 ? 1 + pick(50) : 1)
      return { cpu: cpu - 1, seq: seqs[cpu] as number, place: i + (next() < 0.3 ? pick(200) : 0) }
    }).sort((a, b) => a.place - b.place)
    const seen = inBothForms()
    const found: string[] = []
    const takeAll = (batch: EventBatch): void => {
      const unseen = take(seen, batch)
      for (const { cpu, seq } of unseen?.events ?? []) found.push(`${cpu} ${seq}`)
      for (const { seq } of unseen?.summaries ?? []) found.push(`-1 ${seq}`)
    }
    let durable = { run: 'run-0', batch: 0, place: 0 }
    let continues: EventBatch['continues'] = null
    for (let run = 1; durable.place < records.length; run++) {
      let place = durable.place
      for (let batch = 1; place < records.length && next() > 0.05; batch++) {
        const of = records.slice(place, place + 1 + pick(100))
        place += of.length
        const sent = batchOf({
          run: `run-${run}`,
          batch,
          continues: batch === 1 ? continues : null,
          events: of.filter(({ cpu }) => cpu >= 0).map((record) => eventOf({ cpu: record.cpu, seq: record.seq })),
          summaries: of.filter(({ cpu }) => cpu < 0).map(({ seq }) => summaryOf({ seq }))
        })
        takeAll(sent)
        if (next() < 0.2) takeAll(sent)
        if (next() < 0.7 || place === records.length) durable = { run: `run-${run}`, batch, place }
      }
      continues = { run: durable.run, batch: durable.batch }
    }
    assert.deepEqual(found.toSorted(), records.map(({ cpu, seq }) => `${cpu} ${seq}`).toSorted())
  })
}
