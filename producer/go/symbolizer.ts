// The interface between the encoders and the code that resolves stacks. Encoders resolve each distinct stack once.
import type { Stack } from '../../wire/types.ts'

/** One execution of a program, with the process that executed it. Children share it until they execute another. */
export interface Program {
  readonly pid: number
  /** CLOCK_BOOTTIME at the start of the process. */
  readonly startNs: bigint
  /** Of the record (bpf/event.h). */
  readonly execId: number
}

export interface Symbolizer {
  /** A process was seen for the first time, or executed a program: its stacks may follow. */
  programStarted(program: Program): void
  /**
   * Resolves the source location of a call. Equal locations are one object.
   * @param addresses as in the record (bpf/event.h)
   * @returns undefined while the program is unknown; without go_function when the program has none for the stack
   */
  resolve(program: Program, addresses: readonly number[]): Stack | undefined
}
