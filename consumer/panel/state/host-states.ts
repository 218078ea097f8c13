// Host statuses → the newest state of each host, and its losses over the kept time. Pure.
import type { HostStatus } from '../../../wire/types.ts'
import type { HostState } from '../protocol.ts'

/** Above it the host that was added first is evicted. */
const maxHosts = 1000

/** Beside the names of classes. */
const eachProcess = 'each process'

interface Entry {
  status: HostStatus
  readonly lost: Record<string, number>
  readonly reduced: Record<string, string>
}

export const lostEvents = ({ drops }: HostStatus): number => drops.reduce((sum, { count }) => sum + count, 0)

export class HostStates {
  readonly #entries = new Map<string, Entry>()

  add(status: HostStatus): void {
    let entry = this.#entries.get(status.host)
    if (entry === undefined) {
      entry = { status, lost: {}, reduced: {} }
      this.#entries.set(status.host, entry)
      const [first] = this.#entries.keys()
      if (this.#entries.size > maxHosts && first !== undefined) this.#entries.delete(first)
    }
    for (const { reason, count } of status.drops) entry.lost[reason] = (entry.lost[reason] ?? 0) + count
    // After a reboot the edge emits all classes again.
    if (status.boot !== entry.status.boot) for (const name of Object.keys(entry.reduced)) delete entry.reduced[name]
    for (const { class: name, mode, reason } of status.steps) {
      if (mode === 'emit') delete entry.reduced[name]
      else entry.reduced[name] = reason
    }
    for (const { process_events, mode, reason } of status.bound_steps) {
      if (mode === 'emit') delete entry.reduced[eachProcess]
      else entry.reduced[eachProcess] = `at most ${process_events} events/s, ${reason}`
    }
    if (status.window_start >= entry.status.window_start) entry.status = status
  }

  list(): HostState[] {
    return [...this.#entries.values()].map(({ status, lost, reduced }) => ({
      host: status.host,
      agent: status.agent,
      watermarkMs: status.watermark / 1000,
      lagSeconds: (status.read - status.watermark) / 1e6,
      eventsPerSecond: (status.events * 1000) / status.window_ms,
      countedPerSecond: (status.counted * 1000) / status.window_ms,
      lost,
      reduced,
      ended: status.final
    }))
  }
}
