// Random edges that drop events, die, take over and publish duplicates; batches are then lost and changed. The
// reconciliation gives the result of a naive model that keeps every sequence number in a Set.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Reconciliation } from '../../verify/reconciliation.ts'
import type { Event, EventBatch } from '../../wire/types.ts'
import { batchOf, eventOf } from '../consumer/support/batches.ts'
import { random } from '../consumer/support/random.ts'

const cpus = 3

interface State {
  readonly next: number
  readonly closed: readonly number[]
  readonly declared: number
}

/** Records in the order in which they leave the rings, nearly ordered by seq; drops of the rings; last seq by CPU. */
const kernel = (chance: () => number): { records: Event[]; lost: number; last: number[] } => {
  const records: { at: number; event: Event }[] = []
  const last = Array.from({ length: cpus }, () => 100)
  let lost = 0
  for (let at = 0; at < 300; at++) {
    const cpu = Math.floor(chance() * cpus)
    last[cpu] = (last[cpu] as number) + 1
    if (chance() < 0.1) lost++
    else
      records.push({ at: at + (chance() < 0.5 ? 0 : 15 * chance()), event: eventOf({ cpu, seq: last[cpu] as number }) })
  }
  records.sort((a, b) => a.at - b.at)
  return { records: records.map(({ event }) => event), lost, last }
}

/** The batches of a run chain. */
const edges = (chance: () => number): EventBatch[] => {
  const { records, lost, last } = kernel(chance)
  const batches: EventBatch[] = []
  let from: State = { next: 0, closed: Array.from({ length: cpus }, () => 100), declared: 0 }
  let continues: EventBatch['continues'] = null
  for (let runs = 1; ; runs++) {
    const run = `run-${runs}`
    const states = [from]
    const until = chance() < 0.6 ? Math.floor(chance() * records.length) : records.length + 1
    for (let state = from; state.next < until; ) {
      const size = Math.floor(chance() * 20)
      const events = records.slice(state.next, state.next + size)
      const isEnd = state.next + size >= records.length && until > records.length
      const closed = state.closed.map((before, cpu) =>
        isEnd ? (last[cpu] as number) : Math.max(before, ...events.filter((e) => e.cpu === cpu).map((e) => e.seq))
      )
      const next = state.next + events.length
      const gap = closed.reduce((sum, seq) => sum + seq - 100, 0) - next - state.declared
      const drops = Math.max(0, Math.min(gap, lost - state.declared))
      batches.push(
        batchOf({
          run,
          batch: states.length,
          continues: states.length === 1 ? continues : null,
          final: isEnd,
          events,
          sequences: closed.flatMap((seq, cpu) => {
            const first = (state.closed[cpu] as number) + 1
            return seq < first ? [] : [{ cpu, first, last: seq }]
          }),
          drops: drops === 0 ? [] : [{ class: 'io', reason: 'ring_full', count: drops }]
        })
      )
      state = { next, closed, declared: state.declared + drops }
      states.push(state)
      if (isEnd) return batches
    }
    // Some of the published batches are durable; none of a run that dies at once.
    const durable = Math.floor(chance() * states.length)
    if (durable > 0) {
      continues = { run, batch: durable }
      from = states[durable] as State
    }
    if (continues === null) return batches
  }
}

/** Publishes duplicates, from any earlier batch of the same run on. */
const withDuplicates = (batches: readonly EventBatch[], chance: () => number): EventBatch[] =>
  batches.flatMap((batch, i) => {
    if (chance() > 0.1) return [batch]
    const back = Math.floor(chance() * 5)
    return [batch, ...batches.slice(Math.max(0, i - back), i + 1).filter(({ run }) => run === batch.run)]
  })

const harmed = (batches: readonly EventBatch[], chance: () => number): EventBatch[] => {
  const at = Math.floor(chance() * batches.length)
  return batches.flatMap((batch, i) => {
    if (i !== at) return [batch]
    const harm = chance()
    if (harm < 0.3) return []
    if (harm < 0.6) return [{ ...batch, events: batch.events.slice(1) }]
    return [{ ...batch, drops: [...batch.drops, { class: 'file', reason: 'ring_full', count: 1 } as const] }]
  })
}

/** Every sequence number as a string in a Set; after each takeover, the batches that count. */
const naive = (batches: readonly EventBatch[]) => {
  const firsts = batches.filter(
    (batch, i) => !batches.slice(0, i).some((earlier) => earlier.run === batch.run && earlier.batch >= batch.batch)
  )
  const accounted = new Set<string>()
  const found = new Set<string>()
  let counting: EventBatch[] = []
  for (const batch of firsts) {
    const { continues } = batch
    if (continues !== null) {
      const runs = [...new Set(counting.map(({ run }) => run))]
      const at = runs.indexOf(continues.run)
      counting = counting.filter(
        ({ run, batch }) => runs.indexOf(run) < at || (run === continues.run && batch <= continues.batch)
      )
    }
    counting.push(batch)
    for (const { cpu, first, last } of batch.sequences) {
      for (let seq = first; seq <= last; seq++) accounted.add(`${cpu} ${seq}`)
    }
    for (const { cpu, seq } of batch.events) found.add(`${cpu} ${seq}`)
  }
  const missing = [...accounted].filter((name) => !found.has(name)).length
  const dropped = counting.flatMap(({ drops }) => drops).reduce((sum, { count }) => sum + count, 0)
  return {
    accounted: accounted.size,
    events: found.size,
    dropped,
    undeclared: Math.max(0, missing - dropped),
    unaccounted: [...found].filter((name) => !accounted.has(name)).length
  }
}

const reconcile = (batches: readonly EventBatch[]) => {
  const reconciliation = new Reconciliation()
  for (const [i, batch] of batches.entries()) reconciliation.add(batch, i)
  const [report] = reconciliation.reports()
  assert.ok(report !== undefined)
  const { accounted, events, dropped } = report
  const count = (kind: string): number => report.findings.find((each) => each.kind === kind)?.count ?? 0
  const [undeclared, unaccounted] = [count('undeclared'), count('unaccounted')]
  return { report, counts: { accounted, events, dropped, undeclared, unaccounted } }
}

test('batches agree when none is lost, whatever their edges do, with the counts of the naive model', () => {
  let takeovers = 0
  for (let seed = 1; seed <= 300; seed++) {
    const chance = random(seed)
    const batches = withDuplicates(edges(chance), chance)
    if (batches.length === 0) continue
    const { report, counts } = reconcile(batches)
    assert.deepEqual(report.findings, [], `seed ${seed}`)
    if (report.unfinished.length === 0) assert.deepEqual(counts, naive(batches), `seed ${seed}`)
    takeovers += report.runs - 1
  }
  assert.ok(takeovers > 100, `${takeovers} takeovers`)
})

test('lost and changed batches disagree, with the counts of the naive model', () => {
  let disagreements = 0
  for (let seed = 1; seed <= 300; seed++) {
    const chance = random(seed)
    const batches = harmed(edges(chance), chance)
    const first = batches[0]
    // Without the first batch the naive model does not know where the numbers begin.
    if (first === undefined || first.batch !== 1 || first.continues !== null) continue
    const { report, counts } = reconcile(batches)
    if (report.unfinished.length > 0 || report.partial > 0) continue
    assert.deepEqual(counts, naive(batches), `seed ${seed}`)
    if (counts.undeclared > 0) assert.equal(report.agrees, false)
    if (!report.agrees) disagreements++
  }
  assert.ok(disagreements > 50, `${disagreements} disagreements`)
})
