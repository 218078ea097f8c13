// Leaves out what came before: an edge that got no answer from Kafka sends its batches again, and one that took over
// from a dead one sends again what that one had published last, in batches of its own. (host, boot, cpu, seq) names
// an event, cpu -1 a summary; only a run and those that continue it can give the same name twice, and a recording
// that is played again is another run. What is too old to be kept in mind is taken for new: twice rather than never.
import type { EventBatch } from '../../wire/types.ts'
import { cpuOfSummaries, NumberRanges, type Numbers } from './number-ranges.ts'
import { SeenNumbers } from './seen-numbers.ts'

/** What is looked at in a batch; a ColumnBatch is one. */
export type NumberedBatch = Pick<EventBatch, 'host' | 'run' | 'batch' | 'continues' | 'final' | 'clock'> & Numbers

/** What of a batch did not come before: nothing when it was added itself, else these events and summaries, by place. */
export type Unseen = 'all' | 'nothing' | { readonly events: readonly number[]; readonly summaries: readonly number[] }

/** On the host's clock, which stands still in the topic until what is sent again has come: seconds at most. */
const keptUs = 120_000_000
/** A partition has far fewer; of a host that was forgotten all is new. */
const maxHosts = 10_000
/** Of a host: the last, those that died shortly before it, and those whose batches waited in a spool. */
const maxRuns = 16

/** What a map has, now its newest; made when it is missing, and then the oldest beyond `max` goes. */
const touch = <Value>(map: Map<string, Value>, key: string, max: number, create: () => Value): Value => {
  const value = map.get(key) ?? create()
  map.delete(key)
  map.set(key, value)
  if (map.size > max) map.delete(map.keys().next().value as string)
  return value
}

/** An edge's run, and those that took over from it. */
class RunChain {
  /** Batches by run. */
  readonly #runs = new Map<string, SeenNumbers>()
  /** Events by cpu + 1, and so summaries at 0. */
  #cpus: SeenNumbers[] = []
  #forgottenUs = Number.NEGATIVE_INFINITY
  /** The highest numbers when something was last forgotten: what lies below them is old the next time. */
  #aging: number[] = []

  hasBatch({ run, batch }: NumberedBatch): boolean {
    return this.#runs.get(run)?.has(batch) ?? false
  }

  has(cpu: number, seq: number): boolean {
    return this.#cpus[cpu + 1]?.has(seq) ?? false
  }

  hasAnyOf({ cpus, firsts, lasts }: NumberRanges): boolean {
    return cpus.some((cpu, i) => this.#cpus[cpu + 1]?.hasAny(firsts[i] as number, lasts[i] as number) ?? false)
  }

  add({ run, batch, final, clock }: NumberedBatch, { cpus, firsts, lasts }: NumberRanges): void {
    touch(this.#runs, run, maxRuns, () => new SeenNumbers()).add(batch)
    for (const [i, cpu] of cpus.entries()) this.#numbersOf(cpu).add(firsts[i] as number, lasts[i] as number)
    if (clock.monotonic_us - this.#forgottenUs >= keptUs) this.#forget(clock.monotonic_us)
    // Nobody takes over from a run that ended in order: nothing of it comes in other batches.
    if (final) this.#cpus = []
  }

  #numbersOf(cpu: number): SeenNumbers {
    let numbers = this.#cpus[cpu + 1]
    if (numbers === undefined) {
      numbers = new SeenNumbers()
      this.#cpus[cpu + 1] = numbers
    }
    return numbers
  }

  #forget(nowUs: number): void {
    this.#forgottenUs = nowUs
    for (const [index, number] of this.#aging.entries()) this.#cpus[index]?.expireBelow(number)
    this.#aging = Array.from(this.#cpus, (numbers) => numbers?.top ?? 0)
  }
}

export class Seen {
  /** By host, then by run; the one heard from longest ago is first. */
  readonly #hosts = new Map<string, Map<string, RunChain>>()
  readonly #ranges = new NumberRanges()
  /** Whose ranges they are, while they are: what is added is mostly what was just looked for. */
  #ranged: NumberedBatch | undefined

  /** @param batch its CPUs are less than maxCpus */
  unseenOf(batch: NumberedBatch): Unseen {
    const chain = this.#lineageOf(batch)
    if (chain.hasBatch(batch)) return 'nothing'
    this.#ranges.fill(batch)
    this.#ranged = batch
    if (!chain.hasAnyOf(this.#ranges)) return 'all'
    // Its rows may now be taken out of it.
    this.#ranged = undefined
    const { events, summaries } = batch
    const unseen = { events: [] as number[], summaries: [] as number[] }
    for (let i = 0; i < events.length; i++) {
      if (!chain.has(events.cpu[i] as number, events.seq[i] as number)) unseen.events.push(i)
    }
    for (let i = 0; i < summaries.length; i++) {
      if (!chain.has(cpuOfSummaries, summaries.seq[i] as number)) unseen.summaries.push(i)
    }
    return unseen
  }

  /** What is in the batch was handled: from now on it is a repeat. */
  add(batch: NumberedBatch): void {
    if (this.#ranged !== batch) this.#ranges.fill(batch)
    this.#ranged = undefined
    this.#lineageOf(batch).add(batch, this.#ranges)
  }

  #lineageOf({ host, run, continues }: NumberedBatch): RunChain {
    const runs = touch(this.#hosts, host, maxHosts, () => new Map<string, RunChain>())
    const earlier = continues === null ? undefined : runs.get(continues.run)
    // Those that die before anything of them is durable all continue the same run, however many they are.
    if (continues !== null && earlier !== undefined) touch(runs, continues.run, maxRuns, () => earlier)
    return touch(runs, run, maxRuns, () => earlier ?? new RunChain())
  }
}
