// Batches of the events topic, in its order → a report for each host and boot: sequence numbers, drops and ledgers
// compared, with every difference. Memory grows with runs and with missing numbers, not with events.
import { eventClasses } from '../wire/event-class.ts'
import type { EventBatch, EventClass } from '../wire/types.ts'
import { differences } from './compare.ts'
import { type Finding, finding } from './finding.ts'
import { type Run, RunChain } from './run-chain.ts'

/** Sums over the last ledgers, and the topic's counts to compare them with. */
export interface ClassReport {
  readonly class: EventClass
  readonly off: number
  readonly counted: number
  readonly emitted: number
  readonly dropped: number
  /** In the topic, without duplicates. */
  readonly events: number
  /** Calls in summaries of the topic. */
  readonly summarised: number
}

/** A run without a final batch that may still publish. */
export interface UnfinishedRun {
  readonly run: string
  /** Number of its last batch. */
  readonly batch: number
  /** Time of that batch by the host's clock, ISO 8601. */
  readonly until: string
  /** Sequence numbers that are neither in the topic nor declared as dropped yet. */
  readonly pending: number
}

export interface HostReport {
  readonly host: string
  /** Null for the report of unreadable messages. */
  readonly boot: string | null
  readonly agrees: boolean
  readonly runs: number
  readonly batches: number
  /** Sequence numbers that batches account for. */
  readonly accounted: number
  readonly events: number
  readonly summaries: number
  /** Declared drops. */
  readonly dropped: number
  /** Events and summaries that arrived a second time. */
  readonly duplicates: number
  /** Run chains whose first batch was not read: their ledgers are not compared. */
  readonly partial: number
  readonly classes: readonly ClassReport[]
  readonly unfinished: readonly UnfinishedRun[]
  readonly findings: readonly Finding[]
}

interface OpenChain {
  readonly chain: RunChain
  readonly beganMs: number
  lastMs: number
}

interface KnownRun {
  readonly run: Run
  /** Undefined once the chain is concluded: later batches of the run are duplicates, or begin a chain. */
  open: OpenChain | undefined
}

interface Boot {
  readonly host: string
  readonly boot: string
  readonly runs: Map<string, KnownRun>
  readonly open: Set<OpenChain>
  readonly sums: { accounted: number; summaries: number; dropped: number; partial: number }
  readonly classes: Map<EventClass, ClassReport>
  readonly findings: Finding[]
  batches: number
  duplicates: number
}

/** A run is over when another run of its host publishes this long after it. Two edges lose Kafka for less apart. */
const silentMs = 60_000

export class Reconciliation {
  readonly #boots = new Map<string, Boot>()
  readonly #unreadable = new Map<string, Finding[]>()

  /** @param atMs the message's timestamp in Kafka */
  add(batch: EventBatch, atMs: number): void {
    const boot = this.#bootOf(batch)
    let entry = boot.runs.get(batch.run)
    if (entry !== undefined && batch.batch <= entry.run.batch) {
      boot.duplicates += batch.events.length + batch.summaries.length
      return
    }
    let open = entry?.open
    if (entry === undefined || open === undefined) {
      open = this.#chainOf(boot, batch, atMs)
      entry = { run: open.chain.begin(batch.run, batch.continues ?? undefined), open }
      boot.runs.set(batch.run, entry)
    }
    boot.batches++
    boot.duplicates += open.chain.add(entry.run, batch)
    open.lastMs = atMs
  }

  /** Reports a message that is no batch. @param where its place in the topic */
  addUnreadable(host: string, where: string, why: string): void {
    const [first] = this.#unreadable.get(host) ?? []
    const count = (first?.count ?? 0) + 1
    const text = first?.text ?? `${where} is no batch, its events and drops are unknown: ${why}`
    this.#unreadable.set(host, [finding('unreadable', text, { count })])
  }

  /** Concludes everything, so that nothing may be added afterwards. In the order of the first batches. */
  reports(): HostReport[] {
    const over = new Set<OpenChain>()
    for (const boot of this.#boots.values()) {
      for (const open of boot.open) if (this.#isOver(boot, open)) over.add(open)
    }
    const reports = [...this.#boots.values()].map((boot) => report(boot, over))
    for (const [host, findings] of this.#unreadable) {
      const none = { runs: 0, batches: 0, accounted: 0, events: 0, summaries: 0, dropped: 0, duplicates: 0, partial: 0 }
      reports.push({ host, boot: null, agrees: false, ...none, classes: [], unfinished: [], findings })
    }
    return reports
  }

  #bootOf({ host, boot }: EventBatch): Boot {
    const key = `${host}\n${boot}`
    let known = this.#boots.get(key)
    if (known === undefined) {
      const sums = { accounted: 0, summaries: 0, dropped: 0, partial: 0 }
      const classes = new Map(eventClasses.map((name) => [name, noCounts(name)]))
      const fresh = {
        runs: new Map<string, KnownRun>(),
        open: new Set<OpenChain>(),
        findings: [],
        batches: 0,
        duplicates: 0
      }
      known = { host, boot, sums, classes, ...fresh }
      this.#boots.set(key, known)
    }
    return known
  }

  #chainOf(boot: Boot, { batch, continues }: EventBatch, atMs: number): OpenChain {
    const continued = continues === null ? undefined : boot.runs.get(continues.run)?.open
    if (continued !== undefined && boot.open.has(continued)) return continued
    for (const open of boot.open) {
      if (open.chain.isFinal) conclude(boot, open)
    }
    // A predecessor without a durable batch published nothing that could be missing here.
    const isPartial = batch !== 1 || (continues !== null && continues.batch > 0)
    const open = { chain: new RunChain(isPartial), beganMs: atMs, lastMs: atMs }
    boot.open.add(open)
    return open
  }

  /** True after the final batch, once a later run of the boot began, or after silentMs without a batch. */
  #isOver(boot: Boot, { chain, lastMs }: OpenChain): boolean {
    if (chain.isFinal) return true
    for (const other of this.#boots.values()) {
      if (other.host !== boot.host) continue
      for (const { chain: later, beganMs, lastMs: laterMs } of other.open) {
        if (later === chain) continue
        if ((other === boot && beganMs >= lastMs) || laterMs - lastMs > silentMs) return true
      }
    }
    return false
  }
}

const noCounts = (name: EventClass): ClassReport => ({
  class: name,
  off: 0,
  counted: 0,
  emitted: 0,
  dropped: 0,
  events: 0,
  summarised: 0
})

const addSums = ({ sums, classes }: Boot, chain: RunChain): void => {
  sums.accounted += chain.accounted
  sums.summaries += chain.summaries
  sums.dropped += chain.drops.count()
  sums.partial += chain.isPartial ? 1 : 0
  const ledger = new Map(chain.ledger?.classes.map((row) => [row.class, row]))
  for (const [name, sum] of classes) {
    const row = ledger.get(name)
    classes.set(name, {
      class: name,
      off: sum.off + (row?.off ?? 0),
      counted: sum.counted + (row?.counted ?? 0),
      emitted: sum.emitted + (row?.emitted ?? 0),
      dropped: sum.dropped + (row?.dropped ?? 0),
      events: sum.events + chain.events[name],
      summarised: sum.summarised + chain.summarised[name]
    })
  }
}

const conclude = (boot: Boot, open: OpenChain): void => {
  boot.findings.push(...differences(open.chain, true))
  addSums(boot, open.chain)
  boot.open.delete(open)
  for (const { run } of open.chain.runs) {
    const entry = boot.runs.get(run)
    if (entry !== undefined) entry.open = undefined
  }
}

const unfinishedRun = (boot: Boot, { chain }: OpenChain): UnfinishedRun => {
  boot.findings.push(...differences(chain, false))
  addSums(boot, chain)
  const pending = Math.max(0, chain.numbers.missing().count - chain.drops.count())
  const { run, batch } = chain.last
  return { run, batch, until: new Date(chain.wallUs / 1000).toISOString(), pending }
}

const report = (boot: Boot, over: ReadonlySet<OpenChain>): HostReport => {
  const unfinished: UnfinishedRun[] = []
  for (const open of boot.open) {
    if (over.has(open)) conclude(boot, open)
    else unfinished.push(unfinishedRun(boot, open))
  }
  const { host, findings, batches, duplicates, sums } = boot
  const classes = [...boot.classes.values()]
  const events = classes.reduce((sum, row) => sum + row.events, 0)
  const agrees = findings.length === 0
  const runs = boot.runs.size
  return { host, boot: boot.boot, agrees, runs, batches, ...sums, events, duplicates, classes, unfinished, findings }
}
