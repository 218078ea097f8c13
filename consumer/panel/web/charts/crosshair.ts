// The window that all charts point at, and in the heat map the octave under the pointer.
import { FrameListeners } from '../state/frame-listeners.ts'

export interface CrosshairPosition {
  /** Index among the slots shown. */
  readonly slot: number
  readonly octave: number | null
}

export class Crosshair {
  position: CrosshairPosition | null = null
  readonly #listeners = new FrameListeners()

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  move(position: CrosshairPosition | null): void {
    if (position?.slot === this.position?.slot && position?.octave === this.position?.octave) return
    this.position = position
    this.#listeners.notify()
  }

  /** Moves by whole slots; without a position it starts at the newest. */
  step(by: number, slots: number): void {
    const slot = Math.min(slots - 1, Math.max(0, (this.position?.slot ?? slots) + by))
    this.move({ slot, octave: null })
  }
}
