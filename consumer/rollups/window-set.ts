// The windows of one host that can still change. A window of the shortest length is created for its first call, with the
// longer ones that contain it.
import type { RollupKey } from '../../wire/types.ts'
import { windowStart } from '../state/window-start.ts'
import { ShortestWindow } from './shortest-window.ts'
import { Window } from './window.ts'

export interface WindowSetOptions {
  /** Lengths in microseconds, ascending. */
  readonly sizesUs: readonly number[]
  readonly by: readonly RollupKey[]
  readonly maxKeys: number
  /** Longer windows that start before it are never created: they would lack calls of batches that were not read. */
  readonly floorUs: number
}

export class WindowSet {
  readonly #options: WindowSetOptions
  readonly #shortUs: number
  readonly #longerUs: readonly number[]
  /** In the order of their starts. */
  #short: ShortestWindow[] = []
  #longer: Window[] = []

  constructor(options: WindowSetOptions) {
    const [shortUs = 0, ...longerUs] = options.sizesUs
    this.#options = options
    this.#shortUs = shortUs
    this.#longerUs = longerUs
  }

  /** In the order of their starts. */
  get short(): readonly ShortestWindow[] {
    return this.#short
  }

  get longer(): readonly Window[] {
    return this.#longer
  }

  find(startUs: number): ShortestWindow | undefined {
    const found = this.#short[this.#indexBefore(startUs)]
    return found?.window.startUs === startUs ? found : undefined
  }

  /** @param startUs of a shortest window that the set does not have */
  create(startUs: number): ShortestWindow {
    const { by, maxKeys } = this.#options
    const longer = this.#longerUs.flatMap((sizeUs) => this.#longerAt(windowStart(startUs, sizeUs), sizeUs))
    const created = new ShortestWindow(new Window(startUs, this.#shortUs, maxKeys), longer, by, maxKeys)
    this.#short.splice(this.#indexBefore(startUs) + 1, 0, created)
    return created
  }

  /** Removes the windows that end at or before a time. */
  expireBefore(timeUs: number): void {
    this.#short = this.#short.filter(({ window }) => window.endUs > timeUs)
    this.#longer = this.#longer.filter(({ endUs }) => endUs > timeUs)
  }

  /** Index of the last window that starts at or before a time; -1 for none. */
  #indexBefore(timeUs: number): number {
    return this.#short.findLastIndex(({ window }) => window.startUs <= timeUs)
  }

  #longerAt(startUs: number, sizeUs: number): Window[] {
    if (startUs < this.#options.floorUs) return []
    const known = this.#longer.find((window) => window.startUs === startUs && window.endUs === startUs + sizeUs)
    if (known !== undefined) return [known]
    const window = new Window(startUs, sizeUs, this.#options.maxKeys)
    this.#longer.push(window)
    return [window]
  }
}
