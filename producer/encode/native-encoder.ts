// The encoder in C++ (native/codec) behind the seam: one call a read, one a batch. The fields before and behind a batch's
// rows are avsc's, the rows the addon's; the bytes are the same as the encoder of avsc writes.
import { type CodecAddon, loadCodec, type NativeEncoder } from '../../native/codec/codec.ts'
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import { schemaFingerprint } from '../../wire/codec.ts'
import { callNumberMax, eventVersion, RawEvents, summaryCpu } from '../source/raw-event.ts'
import { noRecord } from '../source/walk.ts'
import { type BatchHeader, withoutEvents } from './batch-header.ts'
import type { BatchEncoder, EncoderOptions, NameOfCall, Progress } from './encoder.ts'

/** Where struct State of native/codec/addon.cc has each of its numbers. */
const state = { count: 0, byClass: 1, events: 5, summaries: 9, taken: 10, newestUs: 13, highest: 14 } as const
const stateNumbers = state.highest + summaryCpu + 1

/** @throws RingsideError OS when it is not built, or for another version */
const addon = (): CodecAddon => {
  let codec: CodecAddon
  try {
    codec = loadCodec()
  } catch (cause) {
    throw new RingsideError('OS', `the native encoder cannot be loaded: ${messageOf(cause)}; build it: npm run build`, {
      cause
    })
  }
  const schema = schemaFingerprint('EventBatch')
  if (codec.schema !== schema || codec.eventVersion !== eventVersion || codec.stateNumbers !== stateNumbers) {
    throw new RingsideError(
      'OS',
      `the native encoder is of another version: it writes the schema ${codec.schema} from records of version ${codec.eventVersion}, this Ringside ${schema} from version ${eventVersion}; build it anew: npm run build`
    )
  }
  return codec
}

const namesOf = (callName: NameOfCall): (string | undefined)[] =>
  [false, true].flatMap((isCompat) => Array.from({ length: callNumberMax }, (_, nr) => callName(nr, isCompat)))

/** The arrays of rows of a batch without any: one byte each, between its other fields. */
const emptyRows = 5
const nullBytes = 1

class CppEncoder implements BatchEncoder {
  readonly #native: NativeEncoder
  readonly #raw: RawEvents
  readonly #state = new Float64Array(stateNumbers)
  readonly #highest = this.#state.subarray(state.highest)

  constructor({ buffer, limits, proc, callName, symbolizer }: EncoderOptions) {
    this.#raw = new RawEvents(buffer)
    this.#native = new (addon().Encoder)({
      buffer,
      state: this.#state,
      maxCount: limits.events,
      maxBytes: limits.bytes,
      names: namesOf(callName),
      present: [...proc.scan()],
      readProc: (pid) => proc.read(pid),
      onProgramStart: symbolizer && ((pid, startNs) => symbolizer.programStarted(pid, startNs)),
      resolveStack: symbolizer && ((pid, startNs, addresses) => symbolizer.resolve(pid, startNs, addresses))
    })
  }

  begin(length: number): number {
    const begun = this.#native.begin(length)
    if (begun < 0) throw noRecord(this.#raw, length, -1 - begun)
    return begun
  }

  add(): boolean {
    return this.#native.add()
  }

  get count(): number {
    return this.#state[state.count] as number
  }

  get byClass(): readonly number[] {
    return this.#numbers(state.byClass, state.events)
  }

  get progress(): Progress {
    const [security, other, summaries] = this.#numbers(state.taken, state.newestUs) as [number, number, number]
    return {
      events: this.#numbers(state.events, state.summaries),
      summaries: this.#state[state.summaries] as number,
      highest: this.#highest,
      taken: [security, other, summaries],
      newestUs: this.#state[state.newestUs] as number
    }
  }

  encode(head: BatchHeader): Buffer {
    const bare = withoutEvents({ ...head, ledger: null })
    const end = bare.length - nullBytes
    const before = bare.subarray(0, end - emptyRows)
    const behind = head.ledger === null ? bare.subarray(end) : withoutEvents(head).subarray(end)
    return this.#native.encode(before, head.clock.monotonic_us, behind)
  }

  #numbers(begin: number, end: number): number[] {
    return Array.from(this.#state.subarray(begin, end))
  }
}

/**
 * An encoder in C++.
 * @throws RingsideError OS when the addon is not built, or for another version of the schema or the records
 */
export const createNativeEncoder = (options: EncoderOptions): BatchEncoder => new CppEncoder(options)
