// Which batch of a host to begin with, so that everything since a moment comes again. A handful of
// batches is remembered, one for each slot of time, in the order of their offsets.

interface Anchor {
  readonly clockUs: number
  readonly offset: bigint
}

export class Anchors {
  readonly #slotUs: number
  #anchors: Anchor[] = []

  /** @param slotUs how far apart the batches are that are remembered */
  constructor(slotUs: number) {
    this.#slotUs = slotUs
  }

  /** From it on, all that returned since the moment of expireBefore() comes again. */
  get holdOffset(): bigint | undefined {
    return this.#anchors[0]?.offset
  }

  /** A batch holds nothing of the time after its clock. */
  add(clockUs: number, offset: bigint): void {
    const last = this.#anchors.at(-1)
    const slotOf = (us: number): number => Math.floor(us / this.#slotUs)
    const replaces = last !== undefined && slotOf(last.clockUs) === slotOf(clockUs) && last.clockUs <= clockUs
    // The first is never replaced: there may be need for what came before the second.
    if (replaces && this.#anchors.length > 1) this.#anchors.pop()
    this.#anchors.push({ clockUs, offset })
  }

  /** Lets go of all but the last batch at or before a moment, and those after it. */
  expireBefore(timeUs: number): void {
    const isEarly = (anchor: Anchor | undefined): boolean => anchor !== undefined && anchor.clockUs <= timeUs
    while (isEarly(this.#anchors[0]) && isEarly(this.#anchors[1])) this.#anchors.shift()
  }
}
