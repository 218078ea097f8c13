// What is left of a batch whose events had to give way: its name, its clock, what it answers for, and the
// declaration that they are lost. Neighbours without events become one, so that little is left of many.
import { encode } from '../../wire/codec.ts'
import type { Drop, EventBatch, Ledger, SequenceRange } from '../../wire/types.ts'
import { eventClasses } from '../source/raw-event.ts'

export type BatchHeader = Omit<EventBatch, 'processes' | 'sockets' | 'stacks' | 'events' | 'summaries'>

/** The encoded batch as if it had neither events nor summaries. */
export const withoutEvents = (head: BatchHeader): Buffer =>
  encode('EventBatch', { ...head, processes: [], sockets: [], stacks: [], events: [], summaries: [] })

/** @param byClass events or summaries that are declared as lost, by enum ringside_class */
export const withDrops = <Head extends BatchHeader>(head: Head, byClass: readonly number[]): Head => {
  const drops = eventClasses.map(
    (name, i): Drop => ({ class: name, reason: 'spool_full', count: byClass[i] as number })
  )
  return { ...head, drops: sumDrops([...head.drops, ...drops]) }
}

/**
 * One batch for several of a run that follow each other: it has the last one's number, clock and ledger, and says what
 * the first one's run continues.
 * @param heads at least one
 */
export const mergeHeaders = (heads: readonly BatchHeader[]): BatchHeader => ({
  ...(heads.at(-1) as BatchHeader),
  continues: heads[0]?.continues ?? null,
  ledger: joinLedgers(heads.flatMap(({ ledger }) => ledger ?? [])),
  sequences: joinRanges(heads.flatMap(({ sequences }) => sequences)),
  drops: sumDrops(heads.flatMap(({ drops }) => drops))
})

const sumDrops = (drops: readonly Drop[]): Drop[] => {
  const sums = new Map<string, Drop>()
  for (const drop of drops) {
    const name = `${drop.class} ${drop.reason}`
    sums.set(name, { ...drop, count: drop.count + (sums.get(name)?.count ?? 0) })
  }
  return [...sums.values()].filter(({ count }) => count > 0)
}

const joinLedgers = (ledgers: readonly Ledger[]): Ledger | null => {
  const last = ledgers.at(-1)
  return last === undefined ? null : { ...last, steps: ledgers.flatMap(({ steps }) => steps) }
}

const joinRanges = (ranges: readonly SequenceRange[]): SequenceRange[] => {
  const joined = new Map<number, SequenceRange>()
  for (const { cpu, first, last } of ranges) joined.set(cpu, { cpu, first: joined.get(cpu)?.first ?? first, last })
  return [...joined.values()]
}
