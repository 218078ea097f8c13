// The interface between the encoders and the code that resolves stacks. Encoders resolve each distinct stack once.
import type { Stack } from '../../wire/types.ts'

export interface Symbolizer {
  /**
   * A process was seen for the first time, or executed a program: its stacks may follow.
   * @param timeNs of that event, CLOCK_MONOTONIC
   */
  programStarted(pid: number, startNs: bigint, timeNs: bigint): void
  /**
   * Resolves the source location of a call. Equal locations are one object.
   * @param addresses as in the record (bpf/event.h)
   * @returns undefined while the program is unknown; without go_function when the program has none for the stack
   */
  resolve(pid: number, startNs: bigint, addresses: readonly number[]): Stack | undefined
}
