// The one place in time that all charts point at, and for the heat map the octave under the pointer.

export interface Place {
  /** The slot's place among those shown. */
  readonly slot: number
  readonly octave: number | null
}

export class Crosshair {
  place: Place | null = null
  readonly #listeners = new Set<() => void>()
  #isFrameAsked = false

  /** Listeners are told at most once a frame. */
  onMove(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  move(place: Place | null): void {
    if (place?.slot === this.place?.slot && place?.octave === this.place?.octave) return
    this.place = place
    if (this.#isFrameAsked) return
    this.#isFrameAsked = true
    requestAnimationFrame(() => {
      this.#isFrameAsked = false
      for (const listener of this.#listeners) listener()
    })
  }

  /** By whole slots, from the newest when it points at nothing. */
  step(by: number, slots: number): void {
    const slot = Math.min(slots - 1, Math.max(0, (this.place?.slot ?? slots) + by))
    this.move({ slot, octave: null })
  }
}
