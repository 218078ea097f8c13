// The edge's account of sequence numbers: what each batch answers for, and what was lost on the way.
// Over a run: the sequence ranges less the events that were published are the declared drops, exactly.
import type { Drop, DropReason, EventClass, SequenceRange } from '../wire/types.ts'
import { eventClasses } from './raw-event.ts'
import type { SourceStatistics } from './source.ts'

interface Cpu {
  /** Last seq that a closed batch answers for. */
  closed: number
  /** Last seq that the open batch will answer for. */
  highest: number
}

const zeros = (): number[] => eventClasses.map(() => 0)
const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0)

export class Ledger {
  readonly #cpus: (Cpu | undefined)[] = []
  readonly #readStatistics: () => SourceStatistics
  /** Events that came out of the rings, whether published or refused. */
  #events = 0
  /** Sequence numbers that closed batches answer for. */
  #sequences = 0
  /** By class: lost in the ring as the programs count it, and as far as batches have declared it. */
  #lost = zeros()
  #declared = zeros()
  #refused = zeros()
  #undeclaredRefused = zeros()

  /** @param readStatistics asked for where a CPU begins, when its first event comes */
  constructor(readStatistics: () => SourceStatistics) {
    this.#readStatistics = readStatistics
  }

  /** An event came out of its ring. */
  saw(cpu: number, seq: number): void {
    this.#events++
    const known = this.#cpus[cpu] ?? this.#begin(cpu, seq)
    if (seq > known.highest) known.highest = seq
  }

  /** An event that came out of the ring will not be published. `eventClass` is an enum ringside_class. */
  refuse(eventClass: number): void {
    this.#refused[eventClass] = (this.#refused[eventClass] as number) + 1
    this.#undeclaredRefused[eventClass] = (this.#undeclaredRefused[eventClass] as number) + 1
  }

  /**
   * Takes over what the programs count as lost.
   * @param drained everything given out by then has been read: what is missing was lost
   */
  update(statistics: SourceStatistics, drained: boolean): void {
    this.#lost = eventClasses.map((name, i) => Math.max(this.#lost[i] as number, statistics.dropped[name]))
    if (!drained) return
    for (const { cpu, before, last } of statistics.sequences) {
      this.#cpus[cpu] ??= { closed: before, highest: before }
      const known = this.#cpus[cpu] as Cpu
      if (last > known.highest) known.highest = last
    }
  }

  /**
   * What the batch that is closed now answers for. A loss that the programs counted is declared as soon
   * as there is a gap inside the ranges; a gap that they did not count (yet) waits, for records of a CPU leave
   * the two rings out of order, those of processes and connections first. The last batch declares every gap, whoever counted it.
   */
  close(final: boolean): { sequences: SequenceRange[]; drops: Drop[] } {
    const sequences: SequenceRange[] = []
    this.#cpus.forEach((known, cpu) => {
      if (known === undefined || known.highest === known.closed) return
      sequences.push({ cpu, first: known.closed + 1, last: known.highest })
      this.#sequences += known.highest - known.closed
      known.closed = known.highest
    })
    const drops: Drop[] = []
    const declare = (eventClass: EventClass, reason: DropReason, count: number): void => {
      if (count > 0) drops.push({ class: eventClass, reason, count })
    }
    let gap = this.#sequences - this.#events - sum(this.#declared)
    eventClasses.forEach((name, i) => {
      const count = Math.max(0, Math.min(gap, (this.#lost[i] as number) - (this.#declared[i] as number)))
      this.#declared[i] = (this.#declared[i] as number) + count
      gap -= count
      declare(name, 'ring_full', count)
      declare(name, 'backlog_full', this.#undeclaredRefused[i] as number)
    })
    this.#undeclaredRefused = zeros()
    if (final) {
      // Nobody knows the class of these: they count where a loss matters most.
      declare('process', 'other', gap)
      this.#declared[0] = (this.#declared[0] as number) + Math.max(0, gap)
      this.#lost = this.#declared
    }
    return { sequences, drops }
  }

  get events(): number {
    return this.#events
  }

  /** By class: counted as lost in the ring. */
  get lost(): readonly number[] {
    return this.#lost
  }

  /** By class: refused because the backlog was full. */
  get refused(): readonly number[] {
    return this.#refused
  }

  #begin(cpu: number, seq: number): Cpu {
    const before = this.#readStatistics().sequences.find((range) => range.cpu === cpu)?.before ?? seq - 1
    const known = { closed: before, highest: before }
    this.#cpus[cpu] = known
    return known
  }
}
