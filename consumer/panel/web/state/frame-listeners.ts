// Listeners that are called at most once per frame, however often something changes.

export class FrameListeners {
  readonly #listeners = new Set<() => void>()
  #isFrameRequested = false

  /** @returns the function that removes the listener */
  add(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Calls the listeners in the next frame. */
  notify(): void {
    if (this.#isFrameRequested) return
    this.#isFrameRequested = true
    requestAnimationFrame(() => {
      this.#isFrameRequested = false
      for (const listener of this.#listeners) listener()
    })
  }
}
