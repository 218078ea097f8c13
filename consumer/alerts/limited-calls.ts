// The entity to which calls belong that the edge counted beyond the bound of their process: the one that counted the last
// event of the same process and call. A summary has no fields that a condition could ask for.
import type { Process } from '../../wire/types.ts'
import type { Entity } from './entities.ts'

/** Beyond it the process that matched longest ago is evicted, and its limited calls are not counted. */
const maxProcesses = 4096

interface Matched {
  readonly entity: Entity
  readonly timeUs: number
}

const keyOf = ({ pid, start_us }: Process, call: string): string => `${pid} ${start_us} ${call}`

export class LimitedCalls {
  readonly #windowUs: number
  readonly #matched = new Map<string, Matched>()

  /** @param windowUs of the rule: an entity that matched earlier has no part in it */
  constructor(windowUs: number) {
    this.#windowUs = windowUs
  }

  /** A call of the process met the rule's condition. */
  see(process: Process, call: string, entity: Entity, timeUs: number): void {
    const key = keyOf(process, call)
    this.#matched.delete(key)
    this.#matched.set(key, { entity, timeUs })
    if (this.#matched.size > maxProcesses) this.#matched.delete(this.#matched.keys().next().value as string)
  }

  /** @param timeUs end of the summary of limited calls */
  entityOf(process: Process, call: string, timeUs: number): Entity | undefined {
    const matched = this.#matched.get(keyOf(process, call))
    return matched !== undefined && timeUs - matched.timeUs < this.#windowUs ? matched.entity : undefined
  }

  clear(): void {
    this.#matched.clear()
  }
}
