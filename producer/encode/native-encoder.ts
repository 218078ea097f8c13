// The encoder in C++ (native/codec), called once per read and once per batch. avsc writes the fields before and after a
// batch's rows, the addon writes the rows.
import { eventClasses, eventVersion, lanes, nrMax, summaryCpu } from '../../bpf/event.ts'
import { type CodecAddon, loadCodec, type NativeEncoder } from '../../native/codec/codec.ts'
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import { schemaFingerprint } from '../../wire/codec.ts'
import { containerIdIn } from '../container-id.ts'
import { RawEvents } from '../source/raw-events.ts'
import { invalidRecord } from '../source/record-walk.ts'
import { type BatchHeader, encodeHeader } from './batch-header.ts'
import type { BatchEncoder, EncoderOptions, NameOfCall, Progress } from './encoder.ts'

/** Offsets in struct State of native/codec/addon.cc. */
const classes = eventClasses.length
const state = {
  count: 0,
  byClass: 1,
  events: 1 + classes,
  summaries: 1 + 2 * classes,
  taken: 2 + 2 * classes,
  newestUs: 2 + 2 * classes + lanes.length,
  highest: 3 + 2 * classes + lanes.length
} as const
const stateNumbers = state.highest + summaryCpu + 1

/** @throws RingsideError OS when the addon is not built, or built for another version */
const loadAddon = (): CodecAddon => {
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
      `the native encoder was built for another version: it writes schema ${codec.schema} from records of version ${codec.eventVersion}, this Ringside needs schema ${schema} and version ${eventVersion}; rebuild it: npm run build`
    )
  }
  return codec
}

const namesOf = (callName: NameOfCall): (string | undefined)[] =>
  [false, true].flatMap((isCompat) => Array.from({ length: nrMax }, (_, nr) => callName(nr, isCompat)))

/** Without rows, each of the five arrays takes one byte; so does the ledger, the last field, when it is null. */
const emptyRows = 5
const nullBytes = 1

class CppEncoder implements BatchEncoder {
  readonly #native: NativeEncoder
  readonly #raw: RawEvents
  readonly #state = new Float64Array(stateNumbers)
  readonly #highest = this.#state.subarray(state.highest)

  constructor({ buffer, limits, proc, callName, symbolizer }: EncoderOptions) {
    this.#raw = new RawEvents(buffer)
    this.#native = new (loadAddon().Encoder)({
      buffer,
      state: this.#state,
      maxCount: limits.events,
      maxBytes: limits.bytes,
      names: namesOf(callName),
      present: [...proc.scan()],
      readProc: (pid) => proc.read(pid),
      containerIdIn,
      onProgramStart: symbolizer && ((program) => symbolizer.programStarted(program)),
      resolveStack: symbolizer && ((program, addresses) => symbolizer.resolve(program, addresses))
    })
  }

  begin(length: number): number {
    const oldestUs = this.#native.begin(length)
    if (oldestUs < 0) throw invalidRecord(this.#raw, length, -1 - oldestUs)
    return oldestUs
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
    return {
      events: this.#numbers(state.events, state.summaries),
      summaries: this.#state[state.summaries] as number,
      highest: this.#highest,
      taken: this.#numbers(state.taken, state.newestUs),
      newestUs: this.#state[state.newestUs] as number
    }
  }

  encode(header: BatchHeader): Buffer {
    const withoutLedger = encodeHeader({ ...header, ledger: null })
    const end = withoutLedger.length - nullBytes
    const before = withoutLedger.subarray(0, end - emptyRows)
    const after = header.ledger === null ? withoutLedger.subarray(end) : encodeHeader(header).subarray(end)
    return this.#native.encode(before, header.clock.monotonic_us, after)
  }

  #numbers(begin: number, end: number): number[] {
    return Array.from(this.#state.subarray(begin, end))
  }
}

/** @throws RingsideError OS when the addon is not built, or built for another version of the schema or the records */
export const createNativeEncoder = (options: EncoderOptions): BatchEncoder => new CppEncoder(options)
