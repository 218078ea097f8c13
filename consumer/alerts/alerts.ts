// The alerts service: batches of events go in, alerts come out. What is counted is made again after a
// restart by reading the rules' windows once more; alerts that are on are kept in the checkpoint.
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

  /** Since the start: entities that were forgotten for others. */
  counters(): Readonly<Record<string, number>> {
    return { ...this.#counters }
  }

  handle(batch: EventBatch, context: Context): Output[] {
    const published = this.#replay.begin(context)
    if (this.#replaying && !published) this.#endReplay()
    this.#replaying = published
    const host = this.#hosts.of(batch).alerts
    const alerts = host.handle(batch, context.offset, this.#subject)
    for (const silent of this.#hosts.expireSilent()) alerts.push(...silent.alerts.end())
    const evicted = host.takeEvicted()
    if (published) return []
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
    // Every host that was on came again.
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
 * The alerts service as the consume loop hosts it.
 * @param rules from loadRules()
 */
export const alertsModule = (options: Config['alerts'], rules: readonly Rule[]): HandlerModule => {
  const events = (): StatefulHandler => new Alerts(options, rules)
  if (!options.drift.enabled) return { handlers: { events } }
  return { handlers: { events, rollups: () => new Drift(options.drift) } }
}
