// The run chains of one boot of a host. A chain stays open until its end is certain, then its differences and sums are
// concluded: memory grows with open chains and with the names of runs.
import { eventClasses } from '../wire/event-class.ts'
import type { EventBatch, EventClass } from '../wire/types.ts'
import { differences } from './compare.ts'
import type { Finding } from './finding.ts'
import type { ClassReport, HostReport, UnfinishedRun } from './host-report.ts'
import { type Run, RunChain } from './run-chain.ts'

export interface OpenChain {
  readonly chain: RunChain
  /** Timestamps of the first and the last batch in Kafka. */
  readonly beganMs: number
  lastMs: number
}

interface KnownRun {
  readonly run: Run
  /** Undefined once the chain is concluded: later batches of the run are duplicates, or begin a chain. */
  open: OpenChain | undefined
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

export class BootAccount {
  readonly host: string
  readonly boot: string
  readonly open = new Set<OpenChain>()
  readonly #runs = new Map<string, KnownRun>()
  readonly #sums = { accounted: 0, summaries: 0, dropped: 0, partial: 0 }
  readonly #classes = new Map(eventClasses.map((name) => [name, noCounts(name)]))
  readonly #findings: Finding[] = []
  #batches = 0
  #duplicates = 0

  constructor(host: string, boot: string) {
    this.host = host
    this.boot = boot
  }

  /** @param atMs the message's timestamp in Kafka */
  add(batch: EventBatch, atMs: number): void {
    let known = this.#runs.get(batch.run)
    if (known !== undefined && batch.batch <= known.run.batch) {
      this.#duplicates += batch.events.length + batch.summaries.length
      return
    }
    let open = known?.open
    if (known === undefined || open === undefined) {
      open = this.#chainOf(batch, atMs)
      known = { run: open.chain.begin(batch.run, batch.continues ?? undefined), open }
      this.#runs.set(batch.run, known)
    }
    this.#batches++
    this.#duplicates += open.chain.add(known.run, batch)
    open.lastMs = atMs
  }

  /** Nothing may be added afterwards. @param over chains without further batches */
  report(over: ReadonlySet<OpenChain>): HostReport {
    const unfinished: UnfinishedRun[] = []
    for (const open of this.open) {
      if (over.has(open)) this.#conclude(open)
      else unfinished.push(this.#unfinishedRun(open))
    }
    const classes = [...this.#classes.values()]
    return {
      host: this.host,
      boot: this.boot,
      agrees: this.#findings.length === 0,
      runs: this.#runs.size,
      batches: this.#batches,
      ...this.#sums,
      events: classes.reduce((sum, row) => sum + row.events, 0),
      duplicates: this.#duplicates,
      classes,
      unfinished,
      findings: this.#findings
    }
  }

  #chainOf({ batch, continues }: EventBatch, atMs: number): OpenChain {
    const continued = continues === null ? undefined : this.#runs.get(continues.run)?.open
    if (continued !== undefined && this.open.has(continued)) return continued
    for (const open of this.open) {
      if (open.chain.isFinal) this.#conclude(open)
    }
    // A predecessor without a durable batch published nothing that could be missing here.
    const isPartial = batch !== 1 || (continues !== null && continues.batch > 0)
    const open = { chain: new RunChain(isPartial), beganMs: atMs, lastMs: atMs }
    this.open.add(open)
    return open
  }

  #conclude(open: OpenChain): void {
    this.#findings.push(...differences(open.chain, true))
    this.#addSums(open.chain)
    this.open.delete(open)
    for (const { run } of open.chain.runs) {
      const known = this.#runs.get(run)
      if (known !== undefined) known.open = undefined
    }
  }

  #unfinishedRun({ chain }: OpenChain): UnfinishedRun {
    this.#findings.push(...differences(chain, false))
    this.#addSums(chain)
    const pending = Math.max(0, chain.numbers.missing().count - chain.drops.count())
    const { run, batch } = chain.last
    return { run, batch, until: new Date(chain.wallUs / 1000).toISOString(), pending }
  }

  #addSums(chain: RunChain): void {
    this.#sums.accounted += chain.accounted
    this.#sums.summaries += chain.summaries
    this.#sums.dropped += chain.drops.count()
    this.#sums.partial += chain.isPartial ? 1 : 0
    const ledger = new Map(chain.ledger?.classes.map((row) => [row.class, row]))
    for (const [name, sum] of this.#classes) {
      const row = ledger.get(name)
      this.#classes.set(name, {
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
}
