// Batches of the events topic, in its order → a report for each host and boot: sequence numbers, drops and ledgers
// compared, with every difference. Memory grows with runs and with missing numbers, not with events.
import type { EventBatch } from '../wire/types.ts'
import { BootAccount, type OpenChain } from './boot-account.ts'
import { finding, maxPlaces, quantity } from './finding.ts'
import type { HostReport } from './host-report.ts'

/** A run is over when its host publishes this long after it. Longer than Kafka is away for only one of two edges. */
const silentMs = 60_000

export class Reconciliation {
  readonly #boots = new Map<string, BootAccount>()
  /** By host: the first unreadable messages, and how many there are. */
  readonly #unreadable = new Map<string, { readonly texts: string[]; count: number }>()

  /** @param atMs the message's timestamp in Kafka */
  add(batch: EventBatch, atMs: number): void {
    const key = `${batch.host}\n${batch.boot}`
    const boot = this.#boots.get(key) ?? new BootAccount(batch.host, batch.boot)
    this.#boots.set(key, boot)
    boot.add(batch, atMs)
  }

  /** Reports a message that is no batch. @param where its place in the topic */
  addUnreadable(host: string, where: string, why: string): void {
    const known = this.#unreadable.get(host) ?? { texts: [], count: 0 }
    this.#unreadable.set(host, known)
    known.count += 1
    if (known.texts.length < maxPlaces) known.texts.push(`${where}: ${why}`)
  }

  /** In the order of the first batches. Nothing may be added afterwards. */
  reports(): HostReport[] {
    const over = new Set<OpenChain>()
    for (const boot of this.#boots.values()) {
      for (const open of boot.open) if (this.#isOver(boot, open)) over.add(open)
    }
    const reports = [...this.#boots.values()].map((boot) => boot.report(over))
    for (const [host, { texts, count }] of this.#unreadable) {
      const more = count === texts.length ? '' : `; and ${quantity(count - texts.length, 'more message')}`
      const text = `not judged, a batch among them leaves a hole: ${texts.join('; ')}${more}`
      const findings = [finding('unreadable', text, { count })]
      const none = { runs: 0, batches: 0, accounted: 0, events: 0, summaries: 0, dropped: 0, duplicates: 0, partial: 0 }
      reports.push({ host, boot: null, agrees: null, ...none, classes: [], unfinished: [], findings })
    }
    return reports
  }

  /** True after the final batch, once a later run of the boot began, or after silentMs without a batch. */
  #isOver(boot: BootAccount, { chain, lastMs }: OpenChain): boolean {
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
