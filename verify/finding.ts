// Where ledger and topic do not agree: what, in which run, on which CPU, between which numbers, how many, and what
// that means for whoever asks what happened on the host.

import { formatCount } from '../runtime/format-number.ts'
import type { EventClass } from '../wire/types.ts'

export type FindingKind =
  | 'unreadable' // a message that is no batch
  | 'hole' // numbers that no batch answers for
  | 'overlap' // numbers that two batches of a run answer for
  | 'outside' // events whose numbers no batch answers for
  | 'undeclared' // missing numbers beyond the declared drops
  | 'overdeclared' // declared drops beyond the missing numbers
  | 'unclear_takeover' // what a taken-over run declared beyond its last durable batch is not known any more
  | 'cut_off' // a run without an end that nobody took over
  | 'emitted' // the ring's count of a class is not what is there
  | 'dropped' // the ring's count of drops is not what batches declare
  | 'counted' // the kernel's count of counted calls is not the sum of the summaries

export interface Place {
  /** -1: of the summaries. */
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
  /** The first few; not all when there are many. */
  readonly places: readonly Place[]
  /** For a person: what it is, and what it means. */
  readonly text: string
}

export const finding = (
  kind: FindingKind,
  text: string,
  { run = null, class: name = null, count = 0, places = [] }: Partial<Omit<Finding, 'kind' | 'text'>> = {}
): Finding => ({ kind, run, class: name, count, places, text })

/** So many places are named; more would not help to find the cause. */
export const maxPlaces = 8

/** "cpu 3: 1001…1200" */
export const formatPlace = ({ cpu, first, last }: Place): string =>
  `${cpu === -1 ? 'summaries' : `cpu ${cpu}`}: ${first === last ? first : `${first}…${last}`}`

export const formatPlaces = (places: readonly Place[], count: number): string => {
  const shown = places.map(formatPlace).join(', ')
  const told = places.reduce((sum, { first, last }) => sum + last - first + 1, 0)
  return told < count ? `${shown} and ${formatCount(count - told)} more` : shown
}
