// Types of the addon that encodes and decodes batches (addon.cc). Callers check first that it was built for the schema
// and the records of this version.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { EventColumns, SummaryColumns } from '../../wire/columns.ts'

export interface NativeFacts {
  readonly startTicks: number
  readonly exe: string | null
  readonly containerId: string | null
}

/** One execution of a program. */
export interface NativeProgram {
  readonly pid: number
  readonly startNs: bigint
  readonly execId: number
}

export interface NativeStack {
  readonly go_function: string | null
  readonly go_file: string | null
  readonly go_line: number
}

export interface NativeEncoderOptions {
  /** The source reads into it; starts at a multiple of 8. */
  readonly buffer: Uint8Array
  /** Counters, updated by every call; `stateNumbers` long. */
  readonly state: Float64Array
  readonly maxCount: number
  readonly maxBytes: number
  /** By ABI and number, RINGSIDE_ABI_COUNT × RINGSIDE_NR_MAX. */
  readonly names: readonly (string | undefined)[]
  readonly present: readonly (readonly [pid: number, facts: NativeFacts])[]
  /** Called when a process is seen for the first time and when it executes a program. */
  readonly onProgramStart: ((program: NativeProgram) => void) | undefined
  /** Called for each stack that is not in the table; undefined disables stacks. */
  readonly resolveStack: ((program: NativeProgram, addresses: readonly number[]) => NativeStack | undefined) | undefined
  readonly readProc: (pid: number) => NativeFacts | undefined
  /** @param cgroup paths of a cgroup, one a line */
  readonly containerIdIn: (cgroup: string) => string | null
}

export interface NativeEncoder {
  /** @returns microseconds, or -1 - the offset of the first invalid record */
  begin(length: number): number
  /** @returns true when the batch is full, false at the end of the read */
  add(): boolean
  /** @param before and `after`: the encoded fields on either side of the rows */
  encode(before: Uint8Array, clockUs: number, after: Uint8Array): Buffer
}

/** Rows of a table: equal rows have the same number, so that each distinct row becomes an object once. */
export interface NumberedRows {
  length: number
  number: Int32Array
  /** Byte offset in the message. */
  offset: Int32Array
}

/** The decoder's output. It sets `length` to the number of rows, and replaces an array that is too short. */
export interface DecodedRows {
  readonly processes: NumberedRows
  readonly stacks: NumberedRows
  readonly events: EventColumns
  readonly summaries: SummaryColumns
}

export interface NativeDecoderOptions {
  readonly rows: DecodedRows
  /** `codeOf` of each symbol of the enum Syscall. */
  readonly syscalls: Int32Array
  /** Called once for each name of a call. */
  readonly codeOf: (name: string) => number
}

export interface NativeDecoder {
  /**
   * Decodes the rows of a message, from the processes to the summaries.
   * @returns the offset of their end
   * @throws Error naming the damage and its offset
   */
  decode(message: Uint8Array, begin: number): number
  /** Evicts all known rows: numbers start at 0 again. */
  clear(): void
}

export interface CodecAddon {
  readonly Decoder: new (options: NativeDecoderOptions) => NativeDecoder
  readonly Encoder: new (options: NativeEncoderOptions) => NativeEncoder
  /** Fingerprint of the schema of the rows; compare it with wire/codec.ts. */
  readonly schema: string
  /** RINGSIDE_EVENT_VERSION of the records that the encoder reads. */
  readonly eventVersion: number
  readonly stateNumbers: number
}

const path = join(import.meta.dirname, '..', '..', 'build', 'ringside_codec.node')

/** @throws Error of Node when the addon is not built or cannot be loaded */
export const loadCodec = (): CodecAddon => createRequire(import.meta.url)(path) as CodecAddon
