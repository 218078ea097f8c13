// Assigns ranges of sequence numbers to batches and declares the drops in them. Over a run, numbers in ranges = events
// in batches + declared drops, exactly. A run that takes over continues after the durable batches of its predecessor.
import { summaryCpu } from '../../bpf/event.ts'
import { RingsideError } from '../../runtime/errors.ts'
import { eventClasses } from '../../wire/event-class.ts'
import type { Drop, SequenceRange } from '../../wire/types.ts'
import type { Progress } from '../encode/encoder.ts'
import type { Account, Source, SourceStatistics } from '../source/source.ts'

/** Ranges and drops for the header of a batch, and the account that a successor needs once the batch is durable. */
export interface Closing {
  readonly sequences: SequenceRange[]
  readonly drops: Drop[]
  readonly account: Pick<Account, 'closed' | 'declared' | 'events'>
}

const zeros = (): number[] => eventClasses.map(() => 0)
const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0)

export class SequenceTracker {
  readonly #source: Pick<Source, 'statistics'>
  /** By CPU, and for the summaries: the last seq in a closed batch's ranges; undefined before the first. */
  readonly #closed: (number | undefined)[] = new Array(summaryCpu + 1).fill(undefined)
  /** By CPU, and for the summaries: no record up to this seq is left in the rings. */
  readonly #drained = new Float64Array(summaryCpu + 1)
  /** Total of events' sequence numbers in the ranges of closed batches, since the programs were loaded. */
  #sequences = 0
  /** Drops in the rings by class, since the programs were loaded: counted by the programs, and declared in batches. */
  #dropped = zeros()
  #declared = zeros()
  /** By class: drops that earlier runs declared, and events in their batches. */
  readonly #declaredBefore: readonly number[]
  readonly #eventsBefore: readonly number[]

  constructor(source: Pick<Source, 'statistics' | 'previous'>) {
    this.#source = source
    const { previous } = source
    this.#declaredBefore = previous?.declared ?? zeros()
    this.#eventsBefore = previous?.events ?? zeros()
    this.#declared = [...this.#declaredBefore]
    this.#dropped = [...this.#declaredBefore]
    for (const { cpu, seq } of previous?.closed ?? []) {
      if (cpu !== summaryCpu) this.#sequences += seq - this.#before(cpu)
      this.#closed[cpu] = seq
    }
  }

  /**
   * Takes over the programs' drop counts.
   * @param drained true when all records up to these statistics were read: missing numbers are dropped events
   */
  update(statistics: SourceStatistics, drained: boolean): void {
    this.#dropped = eventClasses.map((name, i) => Math.max(this.#dropped[i] as number, statistics.dropped[name]))
    if (!drained) return
    for (const { cpu, last } of statistics.sequences) this.#drained[cpu] = last
  }

  /**
   * Closes the ranges for a batch. A drop that the programs counted is declared once there is a gap for it inside the
   * ranges. A gap without a counted drop is not declared, because its event may still come: records of a CPU leave the
   * rings out of order, those of processes first. The final batch declares every gap.
   * @throws RingsideError DATA when the source's statistics lack the CPU of an event
   */
  close(progress: Pick<Progress, 'highest' | 'events'>, final: boolean): Closing {
    const sequences = this.#closeRanges(progress.highest)
    const events = progress.events.map((count, i) => count + (this.#eventsBefore[i] as number))
    const drops: Drop[] = []
    let gap = this.#sequences - sum(events) - sum(this.#declared)
    eventClasses.forEach((name, i) => {
      const count = Math.max(0, Math.min(gap, (this.#dropped[i] as number) - (this.#declared[i] as number)))
      this.#declared[i] = (this.#declared[i] as number) + count
      gap -= count
      if (count > 0) drops.push({ class: name, reason: 'ring_full', count })
    })
    if (final) {
      // Their class is unknown: they count for the class whose loss matters most.
      if (gap > 0) drops.push({ class: 'process', reason: 'other', count: gap })
      this.#declared[0] = (this.#declared[0] as number) + Math.max(0, gap)
      this.#dropped = this.#declared
    }
    return { sequences, drops, account: this.account(events) }
  }

  /** @param events by class, in durable batches; by default those of earlier runs */
  account(events: readonly number[] = this.#eventsBefore): Closing['account'] {
    const closed = this.#closed.flatMap((seq, cpu) => (seq === undefined ? [] : [{ cpu, seq }]))
    return { closed, declared: [...this.#declared], events }
  }

  /** Drops in the rings by class, without those that earlier runs declared. */
  get dropped(): readonly number[] {
    return this.#dropped.map((count, i) => count - (this.#declaredBefore[i] as number))
  }

  #closeRanges(highest: Float64Array): SequenceRange[] {
    const sequences: SequenceRange[] = []
    for (let cpu = 0; cpu <= summaryCpu; cpu++) {
      const last = Math.max(highest[cpu] ?? 0, this.#drained[cpu] as number)
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

  /** The seq before a CPU's first one. */
  #before(cpu: number): number {
    const range = this.#source.statistics().sequences.find((known) => known.cpu === cpu)
    if (range !== undefined) return range.before
    if (cpu === summaryCpu) return 0
    throw new RingsideError(
      'DATA',
      `the source has events of CPU ${cpu}, which its statistics lack; the recording is damaged`
    )
  }
}
