// Batches of the events topic in, as it has them, and for each host and boot a report out: whether what batches answer
// for is there or declared as lost, and where not. Memory grows with runs and with what is missing, not with events.
import { eventClasses } from '../wire/event-class.ts'
import type { EventBatch, EventClass } from '../wire/types.ts'
import { differences } from './compare.ts'
import { type Finding, finding } from './finding.ts'
import { type Run, RunChain } from './run-chain.ts'

/** Sums over what the kernel's programs counted, as the last ledgers have it, beside what is in the topic. */
export interface ClassReport {
  readonly class: EventClass
  readonly off: number
  readonly counted: number
  readonly emitted: number
  readonly dropped: number
  /** In the topic, duplicates left out. */
  readonly events: number
  /** Calls that summaries in the topic tell of. */
  readonly summarised: number
}

/** A run whose end has not come. */
export interface GoingReport {
  readonly run: string
  readonly batch: number
  /** By its own clock, ISO 8601. */
  readonly until: string
  /** Numbers that are neither there nor declared: they may still come. */
  readonly open: number
}

export interface HostReport {
  readonly host: string
  /** Null where messages could not be read. */
  readonly boot: string | null
  readonly agrees: boolean
  readonly runs: number
  readonly batches: number
  /** Sequence numbers that batches answer for. */
  readonly answered: number
  readonly events: number
  readonly summaries: number
  /** Declared as lost. */
  readonly dropped: number
  /** Events and summaries that came again. */
  readonly duplicates: number
  /** Loadings of the programs whose beginning was before what was read: their ledgers are not compared. */
  readonly partial: number
  readonly classes: readonly ClassReport[]
  readonly going: readonly GoingReport[]
  readonly findings: readonly Finding[]
}

interface Known {
  readonly chain: RunChain
  readonly beganMs: number
  lastMs: number
}

/** What is remembered of a run whose chain is concluded: what came already. */
interface KnownRun {
  readonly run: Run
  known: Known | undefined
}

interface Boot {
  readonly host: string
  readonly boot: string
  readonly runs: Map<string, KnownRun>
  readonly chains: Set<Known>
  readonly sums: { answered: number; summaries: number; dropped: number; partial: number }
  readonly classes: Map<EventClass, ClassReport>
  readonly findings: Finding[]
  batches: number
  duplicates: number
}

/** Longer than Kafka is away for one edge of a host and there for another: who is silent for so long is gone. */
const silentMs = 60_000

export class Reconciliation {
  readonly #boots = new Map<string, Boot>()
  readonly #unreadable = new Map<string, Finding[]>()

  /** @param atMs when the batch came to Kafka */
  add(batch: EventBatch, atMs: number): void {
    const boot = this.#bootOf(batch)
    let entry = boot.runs.get(batch.run)
    if (entry !== undefined && batch.batch <= entry.run.batch) {
      boot.duplicates += batch.events.length + batch.summaries.length
      return
    }
    let known = entry?.known
    if (entry === undefined || known === undefined) {
      known = this.#chainOf(boot, batch, atMs)
      entry = { run: known.chain.begin(batch.run, batch.continues ?? undefined), known }
      boot.runs.set(batch.run, entry)
    }
    boot.batches++
    boot.duplicates += known.chain.add(entry.run, batch)
    known.lastMs = atMs
  }

  /** A message that is no batch: what it held is unknown. */
  addUnreadable(host: string, where: string, why: string): void {
    const [first] = this.#unreadable.get(host) ?? []
    const count = (first?.count ?? 0) + 1
    const text = first?.text ?? `${where} is no batch, and what it held is unknown: ${why}`
    this.#unreadable.set(host, [finding('unreadable', text, { count })])
  }

  /** In the order in which hosts and boots were first read. The end: nothing may be added afterwards. */
  reports(): HostReport[] {
    const over = new Set<Known>()
    for (const boot of this.#boots.values()) {
      for (const known of boot.chains) if (this.#isOver(boot, known)) over.add(known)
    }
    const reports = [...this.#boots.values()].map((boot) => report(boot, over))
    for (const [host, findings] of this.#unreadable) {
      const none = { runs: 0, batches: 0, answered: 0, events: 0, summaries: 0, dropped: 0, duplicates: 0, partial: 0 }
      reports.push({ host, boot: null, agrees: false, ...none, classes: [], going: [], findings })
    }
    return reports
  }

  #bootOf({ host, boot }: EventBatch): Boot {
    const key = `${host}\n${boot}`
    let known = this.#boots.get(key)
    if (known === undefined) {
      const sums = { answered: 0, summaries: 0, dropped: 0, partial: 0 }
      const classes = new Map(eventClasses.map((name) => [name, noCounts(name)]))
      const fresh = {
        runs: new Map<string, KnownRun>(),
        chains: new Set<Known>(),
        findings: [],
        batches: 0,
        duplicates: 0
      }
      known = { host, boot, sums, classes, ...fresh }
      this.#boots.set(key, known)
    }
    return known
  }

  #chainOf(boot: Boot, { batch, continues }: EventBatch, atMs: number): Known {
    const continued = continues === null ? undefined : boot.runs.get(continues.run)?.known
    if (continued !== undefined && boot.chains.has(continued)) return continued
    // One that ended in order has nothing to wait for once another has begun.
    for (const known of boot.chains) {
      if (known.chain.isFinal) conclude(boot, known)
    }
    // A dead run without a durable batch left nothing that came before.
    const isPartial = batch !== 1 || (continues !== null && continues.batch > 0)
    const known = { chain: new RunChain(isPartial), beganMs: atMs, lastMs: atMs }
    boot.chains.add(known)
    return known
  }

  /** Whether another edge of the boot began after all that this one sent, or one of the host was heard long after it. */
  #isOver(boot: Boot, { chain, lastMs }: Known): boolean {
    if (chain.isFinal) return true
    for (const other of this.#boots.values()) {
      if (other.host !== boot.host) continue
      for (const { chain: later, beganMs, lastMs: laterMs } of other.chains) {
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
  sums.answered += chain.answered
  sums.summaries += chain.summaries
  sums.dropped += chain.dropped()
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

const conclude = (boot: Boot, known: Known): void => {
  boot.findings.push(...differences(known.chain, true))
  addSums(boot, known.chain)
  boot.chains.delete(known)
  for (const { run } of known.chain.runs) {
    const entry = boot.runs.get(run)
    if (entry !== undefined) entry.known = undefined
  }
}

const goingReport = (boot: Boot, { chain }: Known): GoingReport => {
  boot.findings.push(...differences(chain, false))
  addSums(boot, chain)
  const open = Math.max(0, chain.missing().count - chain.dropped())
  const { run, batch } = chain.last
  return { run, batch, until: new Date(chain.wallUs / 1000).toISOString(), open }
}

const report = (boot: Boot, isOver: ReadonlySet<Known>): HostReport => {
  const going: GoingReport[] = []
  for (const known of boot.chains) {
    if (isOver.has(known)) conclude(boot, known)
    else going.push(goingReport(boot, known))
  }
  const { host, findings, batches, duplicates, sums } = boot
  const classes = [...boot.classes.values()]
  const events = classes.reduce((sum, row) => sum + row.events, 0)
  const agrees = findings.length === 0
  const runs = boot.runs.size
  return { host, boot: boot.boot, agrees, runs, batches, ...sums, events, duplicates, classes, going, findings }
}
