// The seam between the addresses that a record carries and what they mean: encoders ask for each distinct stack once.
import type { Stack } from '../../wire/types.ts'

export interface Symbolizer {
  /** A process was seen for the first time, or began another program: from now on its stacks may be asked for. */
  began(pid: number, startNs: bigint): void
  /**
   * Where a call was made from. The same object for the same place.
   * @param addresses as a record has them (bpf/event.h)
   * @returns undefined when the program is not known, or not yet; without go_function when it does not tell
   */
  find(pid: number, startNs: bigint, addresses: readonly number[]): Stack | undefined
}
