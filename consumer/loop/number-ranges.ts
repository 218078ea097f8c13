// The numbers of a batch's events and summaries as ranges, by CPU. Those of a CPU come nearly in order, so that a
// thousand events are a few ranges, and nobody has to look for them one by one.
import type { EventColumns, SummaryColumns } from '../../wire/columns.ts'

/** What names a batch's events and summaries within its host and boot. */
export interface Numbers {
  readonly events: Pick<EventColumns, 'length' | 'cpu' | 'seq'>
  readonly summaries: Pick<SummaryColumns, 'length' | 'seq'>
}

/** A kernel is built for at most so many (NR_CPUS of x86). */
export const maxCpus = 8192
/** Of the summaries, which no CPU makes. */
export const cpuOfSummaries = -1

export class NumberRanges {
  /** In the order in which they begin in the batch: cpu, first, last. */
  readonly cpus: number[] = []
  readonly firsts: number[] = []
  readonly lasts: number[] = []
  /** By cpu + 1: its latest range's place + 1. */
  readonly #latest = new Int32Array(maxCpus + 1)

  /** Replaces the ranges by those of a batch, whose CPUs are less than maxCpus. */
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
