// Sequence numbers of a batch as ranges, by CPU. They arrive nearly in order: a thousand events make a few ranges, and
// the deduplicator looks up ranges instead of numbers.
import type { EventColumns, SummaryColumns } from '../../wire/columns.ts'

/** Identities of events and summaries within a host and boot. */
export interface Numbers {
  readonly events: Pick<EventColumns, 'length' | 'cpu' | 'seq'>
  readonly summaries: Pick<SummaryColumns, 'length' | 'seq'>
}

/** The highest NR_CPUS of Linux (x86). */
export const maxCpus = 8192
/** The CPU number of summaries, which belong to no CPU. */
export const cpuOfSummaries = -1

export class NumberRanges {
  /** Range i is cpus[i], firsts[i], lasts[i]; in the order of the batch. */
  readonly cpus: number[] = []
  readonly firsts: number[] = []
  readonly lasts: number[] = []
  /** By cpu + 1: index of its latest range, plus 1; 0 when it has none. */
  readonly #latest = new Int32Array(maxCpus + 1)

  /** Replaces the ranges with those of a batch whose CPUs are below maxCpus. */
  fill({ events, summaries }: Numbers): void {
    this.cpus.length = this.firsts.length = this.lasts.length = 0
    for (let i = 0; i < events.length; i++) this.#add(events.cpu[i] as number, events.seq[i] as number)
    for (let i = 0; i < summaries.length; i++) this.#add(cpuOfSummaries, summaries.seq[i] as number)
    for (const cpu of this.cpus) this.#latest[cpu + 1] = 0
  }

  #add(cpu: number, seq: number): void {
    const latest = (this.#latest[cpu + 1] as number) - 1
    if (latest >= 0 && seq === (this.lasts[latest] as number) + 1) {
      this.lasts[latest] = seq
      return
    }
    this.cpus.push(cpu)
    this.firsts.push(seq)
    this.#latest[cpu + 1] = this.lasts.push(seq)
  }
}
