// The entities that one rule counts on one host. Beyond the bound the entity that was quiet for longest is evicted, unless
// it has an active alert.
import type { Burst } from './burst.ts'
import { MatchWindow } from './match-window.ts'
import type { Rule } from './rule.ts'

export interface Entity {
  readonly matches: MatchWindow
  /** Undefined without an active alert. */
  burst: Burst | undefined
}

export class Entities {
  readonly #threshold: Rule['threshold']
  readonly #maxEntities: number
  /** The entity that was quiet for longest is first. */
  readonly #entities = new Map<string, Entity>()
  #evicted = 0

  constructor({ threshold }: Rule, maxEntities: number) {
    this.#threshold = threshold
    this.#maxEntities = maxEntities
  }

  /** @param nowUs CLOCK_MONOTONIC of the batch */
  of(name: string, nowUs: number): Entity {
    const { count, windowSeconds } = this.#threshold
    const known = this.#entities.get(name)
    if (known === undefined && this.#entities.size >= this.#maxEntities) this.#makeRoom(nowUs)
    const entity = known ?? { matches: new MatchWindow(count, windowSeconds * 1e6), burst: undefined }
    this.#entities.delete(name)
    this.#entities.set(name, entity)
    return entity
  }

  clear(): void {
    this.#entities.clear()
  }

  /** Number of entities evicted since the last call. */
  takeEvicted(): number {
    const evicted = this.#evicted
    this.#evicted = 0
    return evicted
  }

  #makeRoom(nowUs: number): void {
    for (const [name, { burst, matches }] of this.#entities) {
      if (burst !== undefined || !matches.isEmptyAt(nowUs)) break
      this.#entities.delete(name)
    }
    if (this.#entities.size < this.#maxEntities) return
    for (const [name, { burst }] of this.#entities) {
      if (burst !== undefined) continue
      this.#entities.delete(name)
      break
    }
    this.#evicted++
  }
}
