// What the broker knows of each consumer service, polled → its lag, its time without progress, its members and their
// joins. Pure.
import type { GroupMembers, GroupProgress } from '../../wire/client.ts'
import { parseMetadata } from '../state/commit-metadata.ts'
import type { ServiceState } from './protocol.ts'

/** A service's group is the topic prefix and its name. */
export const watchedServices = ['rollups', 'alerts', 'audit'] as const

/** Joins that were longer ago do not matter any more. */
const joinsForMs = 600_000

/** The committed offset is where a restart reads from; the metadata has how far the service is. */
const nextOf = ({ commit }: GroupProgress): bigint => parseMetadata(commit.metadata)?.next ?? commit.offset

/** One service over time. */
class WatchedService {
  /** By partition: the next offset, and when it last moved or nothing waited. */
  #positions = new Map<number, { readonly next: bigint; readonly sinceMs: number }>()
  #members: ReadonlySet<string> | undefined
  #joinsMs: number[] = []

  update(service: string, progress: readonly GroupProgress[], members: readonly string[], nowMs: number): ServiceState {
    const unread = progress.map((each) => {
      const { partition } = each.commit
      const next = nextOf(each)
      const messages = Math.max(0, Number(each.endOffset - next))
      const before = this.#positions.get(partition)
      const sinceMs = messages > 0 && before?.next === next ? before.sinceMs : nowMs
      this.#positions.set(partition, { next, sinceMs })
      return { messages, stalledSeconds: Math.round((nowMs - sinceMs) / 1000) }
    })
    return {
      service,
      messages: unread.length === 0 ? null : unread.reduce((sum, { messages }) => sum + messages, 0),
      stalledSeconds: Math.max(0, ...unread.map(({ stalledSeconds }) => stalledSeconds)),
      members: members.length,
      joins: this.#joins(members, nowMs)
    }
  }

  /** A member that crashed or restarted joins with a new id. The members of the first poll may be old. */
  #joins(members: readonly string[], nowMs: number): number {
    if (this.#members !== undefined) {
      for (const id of members) if (!this.#members.has(id)) this.#joinsMs.push(nowMs)
    }
    this.#members = new Set(members)
    this.#joinsMs = this.#joinsMs.filter((ms) => ms > nowMs - joinsForMs)
    return this.#joinsMs.length
  }
}

export class ServiceStates {
  readonly #groups: readonly string[]
  readonly #services = watchedServices.map((service) => ({ service, watched: new WatchedService() }))

  /** @param groups of the watched services, in their order */
  constructor(groups: readonly string[]) {
    this.#groups = groups
  }

  update(progress: readonly GroupProgress[], members: readonly GroupMembers[], nowMs: number): ServiceState[] {
    return this.#services.map(({ service, watched }, index) => {
      const group = this.#groups[index]
      const ids = members.find((each) => each.group === group)?.members ?? []
      const ofService = progress.filter((each) => each.group === group)
      return watched.update(service, ofService, ids, nowMs)
    })
  }
}
