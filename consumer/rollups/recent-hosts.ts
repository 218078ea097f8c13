// State by host, for at most 1,000 hosts: beyond that, the host heard from longest ago is evicted.
import { LRUCache } from 'lru-cache'

export class RecentHosts<State extends {}> {
  readonly #states = new LRUCache<string, State>({ max: 1000 })

  /** The state of a host that was heard from just now. */
  of(host: string, create: () => State): State {
    const known = this.#states.get(host)
    if (known !== undefined) return known
    const state = create()
    this.#states.set(host, state)
    return state
  }

  /** The host heard from last is first. */
  [Symbol.iterator](): IterableIterator<[host: string, state: State]> {
    return this.#states.entries()
  }
}
