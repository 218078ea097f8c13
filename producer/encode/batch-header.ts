// The header of a batch: everything but its rows. The spool replaces an evicted batch by its header, which still covers
// its sequence numbers and declares its events as dropped, and merges adjacent headers into one.
import { encode } from '../../wire/codec.ts'
import { eventClasses } from '../../wire/event-class.ts'
import type { Drop, EventBatch, Ledger, SequenceRange } from '../../wire/types.ts'

export type BatchHeader = Omit<EventBatch, 'processes' | 'sockets' | 'stacks' | 'events' | 'summaries'>

/** Encodes the header as a batch without rows. */
export const encodeHeader = (header: BatchHeader): Buffer =>
  encode('EventBatch', { ...header, processes: [], sockets: [], stacks: [], events: [], summaries: [] })

/**
 * Declares events or summaries as dropped by a full spool.
 * @param byClass their counts, by enum ringside_class
 */
export const withDrops = (header: BatchHeader, byClass: readonly number[]): BatchHeader => {
  const drops = eventClasses.map(
    (name, i): Drop => ({ class: name, reason: 'spool_full', count: byClass[i] as number })
  )
  return { ...header, drops: sumDrops([...header.drops, ...drops]) }
}

/**
 * Merges the headers of consecutive batches of a run. The result has the last one's number, clock and ledger, and the
 * first one's `continues`.
 * @param headers at least one
 */
export const mergeHeaders = (headers: readonly BatchHeader[]): BatchHeader => ({
  ...(headers.at(-1) as BatchHeader),
  continues: headers[0]?.continues ?? null,
  ledger: mergeLedgers(headers.flatMap(({ ledger }) => ledger ?? [])),
  sequences: mergeRanges(headers.flatMap(({ sequences }) => sequences)),
  drops: sumDrops(headers.flatMap(({ drops }) => drops))
})

const sumDrops = (drops: readonly Drop[]): Drop[] => {
  const sums = new Map<string, Drop>()
  for (const drop of drops) {
    const name = `${drop.class} ${drop.reason}`
    sums.set(name, { ...drop, count: drop.count + (sums.get(name)?.count ?? 0) })
  }
  return [...sums.values()].filter(({ count }) => count > 0)
}

const mergeLedgers = (ledgers: readonly Ledger[]): Ledger | null => {
  const last = ledgers.at(-1)
  return last === undefined ? null : { ...last, steps: ledgers.flatMap(({ steps }) => steps) }
}

const mergeRanges = (ranges: readonly SequenceRange[]): SequenceRange[] => {
  const merged = new Map<number, SequenceRange>()
  for (const { cpu, first, last } of ranges) merged.set(cpu, { cpu, first: merged.get(cpu)?.first ?? first, last })
  return [...merged.values()]
}
