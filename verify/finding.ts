// One difference between the ledger and the topic: its kind, run, CPU, sequence numbers, size and meaning.
import { formatCount } from '../runtime/format-number.ts'
import type { EventClass } from '../wire/types.ts'

export type FindingKind =
  | 'unreadable' // messages that are no EventBatch, which says nothing about the others
  | 'hole' // sequence numbers that no batch accounts for
  | 'overlap' // sequence numbers that two batches of a run account for
  | 'unaccounted' // events whose sequence numbers no batch accounts for
  | 'undeclared' // missing sequence numbers beyond the declared drops
  | 'overdeclared' // declared drops beyond the missing sequence numbers
  | 'unclear_takeover' // a takeover from a batch whose drops are no longer kept
  | 'cut_off' // a run without a final batch and without a successor
  | 'emitted' // the programs' count of emitted events differs from the topic
  | 'dropped' // the programs' count of drops differs from the declared drops
  | 'counted' // the programs' count of counted calls differs from the summaries

/** A range of sequence numbers. */
export interface Place {
  /** -1: summaries. */
  readonly cpu: number
  readonly first: number
  readonly last: number
}

export interface Finding {
  readonly kind: FindingKind
  readonly run: string | null
  readonly class: EventClass | null
  /** Sequence numbers, events, or calls. */
  readonly count: number
  /** The first ranges, at most maxPlaces. */
  readonly places: readonly Place[]
  /** For people: the difference and its meaning. */
  readonly text: string
}

export const finding = (
  kind: FindingKind,
  text: string,
  { run = null, class: name = null, count = 0, places = [] }: Partial<Omit<Finding, 'kind' | 'text'>> = {}
): Finding => ({ kind, run, class: name, count, places, text })

/** A few ranges are enough to find the cause. */
export const maxPlaces = 8

/** "1 event", "1,234 events" */
export const quantity = (count: number, noun: string): string =>
  `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`

/** "cpu 3: 1001…1200" */
const formatPlace = ({ cpu, first, last }: Place): string =>
  `${cpu === -1 ? 'summaries' : `cpu ${cpu}`}: ${first === last ? first : `${first}…${last}`}`

/** @param count sequence numbers in all ranges, listed or not */
export const formatPlaces = (places: readonly Place[], count: number): string => {
  const listed = places.reduce((sum, { first, last }) => sum + last - first + 1, 0)
  const text = places.map(formatPlace).join(', ')
  return listed < count ? `${text} and ${formatCount(count - listed)} more` : text
}
