// The resume offset of one host: the batch from which a restart must read to see everything after a given time. Keeps
// one batch for each slot of time, in the order of their offsets.

interface Anchor {
  readonly clockUs: number
  readonly offset: bigint
}

export class Anchors {
  readonly #slotUs: number
  #anchors: Anchor[] = []

  /** @param slotUs distance in time between two batches that are kept */
  constructor(slotUs: number) {
    this.#slotUs = slotUs
  }

  /** Batches from this offset on contain every event since the time given to expireBefore(). */
  get resumeOffset(): bigint | undefined {
    return this.#anchors[0]?.offset
  }

  /** @param clockUs the batch's clock: no event of the batch ended after it */
  add(clockUs: number, offset: bigint): void {
    const last = this.#anchors.at(-1)
    const slotOf = (us: number): number => Math.floor(us / this.#slotUs)
    const replaces = last !== undefined && slotOf(last.clockUs) === slotOf(clockUs) && last.clockUs <= clockUs
    // Never replace the first: batches between it and the second may still be needed.
    if (replaces && this.#anchors.length > 1) this.#anchors.pop()
    this.#anchors.push({ clockUs, offset })
  }

  /** Keeps the last batch at or before `timeUs` and all later ones. */
  expireBefore(timeUs: number): void {
    const isEarly = (anchor: Anchor | undefined): boolean => anchor !== undefined && anchor.clockUs <= timeUs
    while (isEarly(this.#anchors[0]) && isEarly(this.#anchors[1])) this.#anchors.shift()
  }
}
