// Positions in a ring, and the account that an edge leaves to its successor.
import { eventClasses, type Lane, lanes } from '../../bpf/event.ts'
import type { NativeAccount } from './addon.ts'

const classCount = eventClasses.length

/** Positions in the rings and the summaries: sums of the field `advance` of their records. */
export type RingMark = Readonly<Record<Lane, number>>

/** The account of all durable events, from which a successor continues; arrays are indexed by enum ringside_class. */
export interface RingAccount {
  /** At most 39 bytes. */
  readonly run: string
  readonly batch: number
  readonly closed: readonly { readonly cpu: number; readonly seq: number }[]
  readonly declared: readonly number[]
  readonly events: readonly number[]
}

const byClass = (counts: readonly number[]): number[] => Array.from({ length: classCount }, (_, i) => counts[i] ?? 0)

/** NativeAccount.table */
export const toTable = (mark: RingMark, account: RingAccount): Float64Array =>
  Float64Array.from([
    ...lanes.map((name) => mark[name]),
    account.batch,
    ...byClass(account.declared),
    ...byClass(account.events),
    ...account.closed.flatMap(({ cpu, seq }) => [cpu, seq])
  ])

export const fromNativeAccount = ({ run, table }: NativeAccount): RingAccount => {
  const [batch = 0, ...numbers] = table.subarray(lanes.length)
  const pairs = numbers.slice(2 * classCount)
  const closed = Array.from({ length: pairs.length / 2 }, (_, i) => ({
    cpu: pairs[2 * i] as number,
    seq: pairs[2 * i + 1] as number
  }))
  const declared = numbers.slice(0, classCount)
  return { run, batch, closed, declared, events: numbers.slice(classCount, 2 * classCount) }
}
