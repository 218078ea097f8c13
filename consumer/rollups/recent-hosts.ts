// State by host, for at most 1,000 hosts: beyond that, the host heard from longest ago is evicted.

const maxHosts = 1000

export class RecentHosts<State> {
  /** The host heard from longest ago is first. */
  readonly #states = new Map<string, State>()

  /** The state of a host that was heard from just now. */
  of(host: string, create: () => State): State {
    const state = this.#states.get(host) ?? create()
    this.#states.delete(host)
    this.#states.set(host, state)
    if (this.#states.size > maxHosts) this.#states.delete(this.#states.keys().next().value as string)
    return state
  }

  [Symbol.iterator](): IterableIterator<[host: string, state: State]> {
    return this.#states.entries()
  }
}
