// The edge's account of sequence numbers: what each batch answers for, and what was lost on the way.
// Over a run: the sequence ranges less what was published are the declared drops, exactly; a run that takes over
// goes on where the durable batches of the one before end.
import { RingsideError } from '../../runtime/errors.ts'
import type { Drop, SequenceRange } from '../../wire/types.ts'
import type { Progress } from '../encode/encoder.ts'
import { eventClasses, summaryCpu } from '../source/raw-event.ts'
import type { Account, Source, SourceStatistics } from '../source/source.ts'

/** What the batch that is closed answers for, and what a successor has to know once it is durable. */
export interface Closing {
  readonly sequences: SequenceRange[]
  readonly drops: Drop[]
  readonly account: Pick<Account, 'closed' | 'declared' | 'events'>
}

const zeros = (): number[] => eventClasses.map(() => 0)
const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0)

export class Ledger {
  readonly #source: Pick<Source, 'statistics'>
  /** By CPU, and of the summaries: the last seq that closed batches answer for; undefined before its first. */
  readonly #closed: (number | undefined)[] = new Array(summaryCpu + 1).fill(undefined)
  /** Likewise, up to which nothing is left in the rings. */
  readonly #drained = new Float64Array(summaryCpu + 1)
  /** Sequence numbers of events that closed batches answer for, since the programs were loaded. */
  #sequences = 0
  /** By class, since the programs were loaded: lost as the programs count it, and as far as batches declare it. */
  #lost = zeros()
  #declared = zeros()
  /** By class: what the runs before had declared, and which events they had. */
  readonly #declaredBefore: readonly number[]
  readonly #eventsBefore: readonly number[]

  constructor(source: Pick<Source, 'statistics' | 'previous'>) {
    this.#source = source
    const { previous } = source
    this.#declaredBefore = previous?.declared ?? zeros()
    this.#eventsBefore = previous?.events ?? zeros()
    this.#declared = [...this.#declaredBefore]
    this.#lost = [...this.#declaredBefore]
    for (const { cpu, seq } of previous?.closed ?? []) {
      if (cpu !== summaryCpu) this.#sequences += seq - this.#before(cpu)
      this.#closed[cpu] = seq
    }
  }

  /**
   * Takes over what the programs count as lost.
   * @param drained everything given out by then has been read: what is missing was lost
   */
  update(statistics: SourceStatistics, drained: boolean): void {
    this.#lost = eventClasses.map((name, i) => Math.max(this.#lost[i] as number, statistics.dropped[name]))
    if (!drained) return
    for (const { cpu, last } of statistics.sequences) this.#drained[cpu] = last
  }

  /**
   * What the batch that is closed now answers for. A loss that the programs counted is declared as soon
   * as there is a gap inside the ranges; a gap that they did not count (yet) waits, for records of a CPU leave
   * the two rings out of order, those of processes and connections first. The last batch declares every gap, whoever
   * counted it.
   * @throws RingsideError DATA when there are events of a CPU that the source's statistics do not know
   */
  close(progress: Pick<Progress, 'highest' | 'events'>, final: boolean): Closing {
    const sequences = this.#closeRanges(progress.highest)
    const events = progress.events.map((count, i) => count + (this.#eventsBefore[i] as number))
    const drops: Drop[] = []
    let gap = this.#sequences - sum(events) - sum(this.#declared)
    eventClasses.forEach((name, i) => {
      const count = Math.max(0, Math.min(gap, (this.#lost[i] as number) - (this.#declared[i] as number)))
      this.#declared[i] = (this.#declared[i] as number) + count
      gap -= count
      if (count > 0) drops.push({ class: name, reason: 'ring_full', count })
    })
    if (final) {
      // Nobody knows the class of these: they count where a loss matters most.
      if (gap > 0) drops.push({ class: 'process', reason: 'other', count: gap })
      this.#declared[0] = (this.#declared[0] as number) + Math.max(0, gap)
      this.#lost = this.#declared
    }
    return { sequences, drops, account: this.account(events) }
  }

  /** @param events by class, that durable batches hold; those of the runs before, unless given */
  account(events: readonly number[] = this.#eventsBefore): Closing['account'] {
    const closed = this.#closed.flatMap((seq, cpu) => (seq === undefined ? [] : [{ cpu, seq }]))
    return { closed, declared: [...this.#declared], events }
  }

  /** By class: counted as lost in the ring, without what the runs before had declared. */
  get lost(): readonly number[] {
    return this.#lost.map((count, i) => count - (this.#declaredBefore[i] as number))
  }

  #closeRanges(read: Float64Array): SequenceRange[] {
    const sequences: SequenceRange[] = []
    for (let cpu = 0; cpu <= summaryCpu; cpu++) {
      const last = Math.max(read[cpu] ?? 0, this.#drained[cpu] as number)
      if (last === 0) continue
      const closed = this.#closed[cpu] ?? this.#before(cpu)
      if (last > closed) {
        sequences.push({ cpu: cpu === summaryCpu ? -1 : cpu, first: closed + 1, last })
        if (cpu !== summaryCpu) this.#sequences += last - closed
      }
      this.#closed[cpu] = Math.max(last, closed)
    }
    return sequences
  }

  /** The seq before a CPU's first. */
  #before(cpu: number): number {
    const range = this.#source.statistics().sequences.find((known) => known.cpu === cpu)
    if (range !== undefined) return range.before
    if (cpu === summaryCpu) return 0
    throw new RingsideError('DATA', `the source has events of CPU ${cpu}, and its statistics do not know that CPU`)
  }
}
