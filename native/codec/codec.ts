// The addon that encodes batches and decodes them (addon.cc), as TypeScript sees it. Whether it is built for the schema and the records
// of this version is asked before it is used.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { EventColumns, SummaryColumns } from '../../wire/columns.ts'

export interface NativeFacts {
  readonly startTicks: number
  readonly exe: string | null
  readonly containerId: string | null
}

export interface NativePlace {
  readonly go_function: string | null
  readonly go_file: string | null
  readonly go_line: number
}

export interface NativeEncoderOptions {
  /** Where reads lie; begins at a multiple of 8. */
  readonly buffer: Uint8Array
  /** Written by every call; `stateNumbers` long. */
  readonly state: Float64Array
  readonly maxCount: number
  readonly maxBytes: number
  /** By ABI and number, RINGSIDE_ABI_COUNT × RINGSIDE_NR_MAX. */
  readonly names: readonly (string | undefined)[]
  readonly present: readonly (readonly [pid: number, facts: NativeFacts])[]
  /** Told of processes that begin, or begin another program; undefined: nobody wants to know. */
  readonly onBegan: ((pid: number, startNs: bigint) => void) | undefined
  /** Asked for each stack that was not seen before; undefined: no stack is told. */
  readonly findCaller:
    | ((pid: number, startNs: bigint, addresses: readonly number[]) => NativePlace | undefined)
    | undefined
  readonly readProc: (pid: number) => NativeFacts | undefined
}

export interface NativeEncoder {
  /** @returns microseconds, or -1 - the offset of what is no record */
  begin(length: number): number
  /** @returns true when the batch is full, false at the end of the read */
  add(): boolean
  /** @param before the encoded fields before the rows; `behind`: those after them */
  encode(before: Uint8Array, clockUs: number, behind: Uint8Array): Buffer
}

/** Rows of a table, for each of which an object is made once: its number, and where it begins in the message. */
export interface NumberedRows {
  length: number
  number: Int32Array
  place: Int32Array
}

/** What a decoder writes to: it makes arrays longer by putting others in their places, and says how many are rows. */
export interface DecodedRows {
  readonly processes: NumberedRows
  readonly stacks: NumberedRows
  readonly events: EventColumns
  readonly summaries: SummaryColumns
}

export interface NativeDecoderOptions {
  readonly rows: DecodedRows
  /** What `codeOf` gives for the symbols of the enum Syscall. */
  readonly syscalls: Int32Array
  /** Asked once for each name of a call. */
  readonly codeOf: (name: string) => number
}

export interface NativeDecoder {
  /**
   * Decodes the rows of a message, from the processes to the summaries.
   * @returns where they end
   * @throws Error that says what is damaged, and where
   */
  decode(message: Uint8Array, begin: number): number
  /** Numbers of rows begin anew. */
  forget(): void
}

export interface CodecAddon {
  readonly Decoder: new (options: NativeDecoderOptions) => NativeDecoder
  readonly Encoder: new (options: NativeEncoderOptions) => NativeEncoder
  /** Fingerprint of the schema whose rows it writes and reads, as wire/codec.ts has it. */
  readonly schema: string
  /** RINGSIDE_EVENT_VERSION of the records that it reads. */
  readonly eventVersion: number
  readonly stateNumbers: number
}

const path = join(import.meta.dirname, '..', '..', 'build', 'ringside_codec.node')

/** @throws Error of Node when it is not built, or cannot be loaded here */
export const loadCodec = (): CodecAddon => createRequire(import.meta.url)(path) as CodecAddon
