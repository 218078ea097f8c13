// Leaves out what came before: an edge that got no answer from Kafka sends its batches again, and one that took over
// from a dead one sends again what that one had published last, in batches of its own. (host, boot, cpu, seq) names
// an event, cpu -1 a summary; only a run and those that continue it can give the same name twice, and a recording
// that is played again is another run. What is too old to be kept in mind is taken for new: twice rather than never.
import type { EventBatch } from '../wire/types.ts'
import { SeenNumbers } from './seen-numbers.ts'

/** On the host's clock, which stands still in the topic until what is sent again has come: seconds at most. */
const keptUs = 120_000_000
/** A partition has far fewer; of a host that was forgotten all is new. */
const maxHosts = 10_000
/** Of a host: the last, those that died shortly before it, and those whose batches waited in a spool. */
const maxRuns = 16
const cpuOfSummaries = -1

/** What a map has, now its newest; made when it is missing, and then the oldest beyond `max` goes. */
const touch = <Value>(map: Map<string, Value>, key: string, max: number, create: () => Value): Value => {
  const value = map.get(key) ?? create()
  map.delete(key)
  map.set(key, value)
  if (map.size > max) map.delete(map.keys().next().value as string)
  return value
}

/** An edge's run, and those that took over from it. */
class Lineage {
  /** Batches by run. */
  readonly #runs = new Map<string, SeenNumbers>()
  /** Events by cpu + 1, and so summaries at 0. */
  #cpus: SeenNumbers[] = []
  #forgottenUs = Number.NEGATIVE_INFINITY
  /** The highest numbers when something was last forgotten: what lies below them is old the next time. */
  #aging: number[] = []

  hasBatch({ run, batch }: EventBatch): boolean {
    return this.#runs.get(run)?.has(batch) ?? false
  }

  has(cpu: number, seq: number): boolean {
    return this.#cpus[cpu + 1]?.has(seq) ?? false
  }

  hasAnyOf({ events, summaries }: EventBatch): boolean {
    return (
      events.some(({ cpu, seq }) => this.has(cpu, seq)) || summaries.some(({ seq }) => this.has(cpuOfSummaries, seq))
    )
  }

  add({ run, batch, final, clock, events, summaries }: EventBatch): void {
    touch(this.#runs, run, maxRuns, () => new SeenNumbers()).add(batch)
    for (const { cpu, seq } of events) this.#add(cpu, seq)
    for (const { seq } of summaries) this.#add(cpuOfSummaries, seq)
    if (clock.monotonic_us - this.#forgottenUs >= keptUs) this.#forget(clock.monotonic_us)
    // Nobody takes over from a run that ended in order: nothing of it comes in other batches.
    if (final) this.#cpus = []
  }

  #add(cpu: number, seq: number): void {
    let numbers = this.#cpus[cpu + 1]
    if (numbers === undefined) {
      numbers = new SeenNumbers()
      this.#cpus[cpu + 1] = numbers
    }
    numbers.add(seq)
  }

  #forget(nowUs: number): void {
    this.#forgottenUs = nowUs
    for (const [index, number] of this.#aging.entries()) this.#cpus[index]?.forgetBelow(number)
    this.#aging = Array.from(this.#cpus, (numbers) => numbers?.top ?? 0)
  }
}

export class Seen {
  /** By host, then by run; the one heard from longest ago is first. */
  readonly #hosts = new Map<string, Map<string, Lineage>>()

  /**
   * A batch without the events and summaries that were added before: the batch itself when none was.
   * @returns undefined when the batch was added before, so that nothing that it says is new
   */
  unseenOf(batch: EventBatch): EventBatch | undefined {
    const lineage = this.#lineageOf(batch)
    if (lineage.hasBatch(batch)) return undefined
    if (!lineage.hasAnyOf(batch)) return batch
    return {
      ...batch,
      events: batch.events.filter(({ cpu, seq }) => !lineage.has(cpu, seq)),
      summaries: batch.summaries.filter(({ seq }) => !lineage.has(cpuOfSummaries, seq))
    }
  }

  /** What is in the batch was handled: from now on it is a repeat. */
  add(batch: EventBatch): void {
    this.#lineageOf(batch).add(batch)
  }

  #lineageOf({ host, run, continues }: EventBatch): Lineage {
    const runs = touch(this.#hosts, host, maxHosts, () => new Map<string, Lineage>())
    const earlier = continues === null ? undefined : runs.get(continues.run)
    // Those that die before anything of them is durable all continue the same run, however many they are.
    if (continues !== null && earlier !== undefined) touch(runs, continues.run, maxRuns, () => earlier)
    return touch(runs, run, maxRuns, () => earlier ?? new Lineage())
  }
}
