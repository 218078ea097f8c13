// The alerts service: batches of events in, alerts out. A restart rebuilds the rules' windows by reading the events again;
// active alerts and announced ports are in the checkpoint.
import type { Config } from '../../runtime/config.ts'
import type { EventBatch } from '../../wire/types.ts'
import type { Checkpoint, Context, HandlerModule, Output, StatefulHandler } from '../handler.ts'
import { earliestOffset, type Hosts, hostsOfBatches } from '../state/hosts.ts'
import { Replay } from '../state/replay.ts'
import { SavedRoom } from '../state/saved-room.ts'
import { Drift } from './drift/drift.ts'
import { HostAlerts, type SavedHost, savedHosts } from './host-alerts.ts'
import type { Rule } from './rule.ts'
import { Subject } from './subject.ts'

type Options = Pick<Config['alerts'], 'maxEntities'>

interface Host {
  readonly name: string
  readonly alerts: HostAlerts
}

export class Alerts implements StatefulHandler {
  readonly #subject = new Subject()
  readonly #replay = new Replay()
  readonly #hosts: Hosts<Host, EventBatch>
  /** Restored state of hosts that have not sent since the restart. */
  #saved: Record<string, SavedHost> = {}
  #replaying = false
  readonly #counters = { evicted: 0 }

  constructor(options: Options, rules: readonly Rule[]) {
    this.#hosts = hostsOfBatches(({ host }) => {
      const saved = this.#saved[host]
      delete this.#saved[host]
      return { name: host, alerts: new HostAlerts(host, rules, options.maxEntities, saved, this.#replaying) }
    })
  }

  /** Entities evicted because of alerts.maxEntities, since the start. */
  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters }
  }

  handle(batch: EventBatch, context: Context): Output[] {
    const isReplaying = this.#replay.begin(context)
    if (this.#replaying && !isReplaying) this.#endReplay()
    this.#replaying = isReplaying
    const host = this.#hosts.of(batch, context.timestampMs).alerts
    const alerts = host.handle(batch, context.offset, this.#subject)
    for (const silent of this.#hosts.expireSilent()) alerts.push(...silent.alerts.end())
    const evicted = host.takeEvicted()
    if (isReplaying) return []
    this.#counters.evicted += evicted
    return alerts.map((value) => ({ to: 'alerts', value }))
  }

  checkpoint(): Checkpoint {
    const resumeOffset = earliestOffset([...this.#hosts.states()].map(({ alerts }) => alerts.resumeOffset))
    return this.#replay.checkpoint(resumeOffset, this.#save())
  }

  get isReplaying(): boolean {
    return this.#replaying
  }

  restore(metadata: string): void {
    const saved = savedHosts.safeParse(this.#replay.restore(metadata))
    if (saved.success) this.#saved = saved.data
  }

  #endReplay(): void {
    for (const { alerts } of this.#hosts.states()) alerts.endReplay()
    // Hosts that the replay did not contain have no state to continue.
    this.#saved = {}
  }

  /** The alerts that fit, then the announced ports that fit, in the order in which hosts were first seen. */
  #save(): Record<string, SavedHost> {
    const saved: Record<string, SavedHost> = { ...this.#saved }
    const room = new SavedRoom()
    room.reserve(saved)
    const states = [...this.#hosts.states()].map(({ name, alerts }) => ({ name, ...alerts.save() }))
    const savedOf = (name: string): SavedHost | undefined => {
      const empty: SavedHost = { ports: [], bursts: [] }
      if (saved[name] === undefined && room.reserve({ [name]: empty })) saved[name] = empty
      return saved[name]
    }
    for (const { name, bursts } of states) {
      for (const burst of bursts) if (room.reserve(burst)) savedOf(name)?.bursts.push(burst)
    }
    for (const { name, ports } of states)
      for (const port of ports) if (room.reserve(port)) savedOf(name)?.ports.push(port)
    return saved
  }
}

/**
 * The alerts service as a module for the consume loop.
 * @param rules from loadRules()
 */
export const alertsModule = (options: Config['alerts'], rules: readonly Rule[]): HandlerModule => {
  const events = (): StatefulHandler => new Alerts(options, rules)
  if (!options.drift.enabled) return { handlers: { events } }
  return { handlers: { events, rollups: () => new Drift(options.drift) } }
}
