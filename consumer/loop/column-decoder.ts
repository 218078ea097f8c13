// Messages of the topic events to columns: in C++ (native/codec) for the schema of today, by way of avsc's objects for
// any other and where the addon is not built. The fields before and behind a batch's rows are avsc's in either case.
import type { Type, types } from 'avsc'
import { type CodecAddon, type DecodedRows, loadCodec, type NativeDecoder } from '../../native/codec/codec.ts'
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import { decode, headerBytes, isCurrent, schemaFields, schemaFingerprint } from '../../wire/codec.ts'
import { type ColumnBatch, callNames } from '../../wire/columns.ts'
import { columnsOf, noRows } from '../../wire/columns-of.ts'
import type { Process, Stack } from '../../wire/types.ts'

/**
 * @param bytes the value of a message
 * @returns valid until the next call
 * @throws RingsideError DATA when it is not a whole EventBatch
 */
export type ColumnDecoder = (bytes: Buffer) => ColumnBatch

type Fields = readonly { readonly name: string; readonly type: Type }[]

/** Rows that differ, of all hosts of a partition: 200 bytes each. */
const maxKnownRows = 32_768

const fields: Fields = schemaFields('EventBatch')
const placeOf = (name: keyof ColumnBatch): number => fields.findIndex((field) => field.name === name)
const fieldsBefore = fields.slice(0, placeOf('processes'))
const fieldsBehind = fields.slice(placeOf('summaries') + 1)

const typeIn = <T extends Type>(fields: Fields, name: string): T => {
  const field = fields.find((each) => each.name === name)
  if (field === undefined) throw new RingsideError('SOFTWARE', `the schema of batches has no field ${name}`)
  return field.type as T
}

const rowType = (name: 'processes' | 'stacks' | 'events'): types.RecordType =>
  typeIn<types.ArrayType>(fields, name).itemsType as types.RecordType

const processType = rowType('processes')
const stackType = rowType('stacks')
const { symbols } = typeIn<types.EnumType>(rowType('events').fields, 'syscall')

const decodeField = (
  type: Type,
  bytes: Buffer,
  place: number
): { readonly value: unknown; readonly offset: number } => {
  const decoded = type.decode(bytes, place)
  if (decoded.offset < 0) throw new Error(`it ends within the field at byte ${place}`)
  return decoded
}

/** Adds the fields to a record, and returns where they end. */
const decodeFields = (fields: Fields, bytes: Buffer, place: number, record: Record<string, unknown>): number => {
  let end = place
  for (const { name, type } of fields) {
    const { value, offset } = decodeField(type, bytes, end)
    record[name] = value
    end = offset
  }
  return end
}

/** Objects of rows by their numbers. */
class KnownRows<Row> {
  readonly #type: Type
  #rows: Row[] = []

  constructor(type: Type) {
    this.#type = type
  }

  get size(): number {
    return this.#rows.length
  }

  forget(): void {
    this.#rows = []
  }

  of(bytes: Buffer, { length, number, offset }: DecodedRows['processes']): Row[] {
    const found: Row[] = []
    for (let i = 0; i < length; i++) {
      const key = number[i] as number
      this.#rows[key] ??= decodeField(this.#type, bytes, offset[i] as number).value as Row
      found.push(this.#rows[key])
    }
    return found
  }
}

const noNumberedRows = () => ({ length: 0, number: new Int32Array(0), offset: new Int32Array(0) })

class CppDecoder {
  readonly #rows: DecodedRows = { processes: noNumberedRows(), stacks: noNumberedRows(), ...noRows() }
  readonly #native: NativeDecoder
  readonly #processes = new KnownRows<Process>(processType)
  readonly #stacks = new KnownRows<Stack>(stackType)

  constructor({ Decoder }: CodecAddon) {
    this.#native = new Decoder({
      rows: this.#rows,
      syscalls: Int32Array.from(symbols, (symbol) => callNames.codeOf(symbol)),
      codeOf: (name) => callNames.codeOf(name)
    })
  }

  decode(bytes: Buffer): ColumnBatch {
    try {
      const batch = this.#decode(bytes)
      if (this.#processes.size + this.#stacks.size > maxKnownRows) this.#forget()
      return batch
    } catch (cause) {
      // It may have numbers for rows that no object was made of.
      this.#forget()
      const why = `an EventBatch of ${bytes.length} bytes cannot be decoded: ${messageOf(cause)}`
      throw new RingsideError('DATA', why, { cause })
    }
  }

  #decode(bytes: Buffer): ColumnBatch {
    const { processes, stacks, events, summaries } = this.#rows
    const record: Record<string, unknown> = {}
    const begin = decodeFields(fieldsBefore, bytes, headerBytes, record)
    const end = decodeFields(fieldsBehind, bytes, this.#native.decode(bytes, begin), record)
    if (end !== bytes.length) throw new Error(`it ends at byte ${end}`)
    record['processes'] = this.#processes.of(bytes, processes)
    record['stacks'] = this.#stacks.of(bytes, stacks)
    return { ...record, events, summaries } as unknown as ColumnBatch
  }

  #forget(): void {
    this.#native.clear()
    this.#processes.forget()
    this.#stacks.forget()
  }
}

let hasWarned = false

const addonOrWarning = (log: Log, load: () => CodecAddon): CodecAddon | undefined => {
  try {
    const addon = load()
    const schema = schemaFingerprint('EventBatch')
    if (addon.schema === schema) return addon
    throw new Error(`it reads the schema ${addon.schema}, this Ringside ${schema}`)
  } catch (error) {
    if (!hasWarned) {
      const why = `the native decoder cannot be loaded: ${messageOf(error)}; build it: npm run build`
      log.warn(`decoding with avsc, which takes several times the CPU: ${why}`)
    }
    hasWarned = true
    return undefined
  }
}

/** A decoder with columns of its own. Where the addon is missing, the first one of a process warns. */
export const createColumnDecoder = (log: Log, load = loadCodec): ColumnDecoder => {
  const addon = addonOrWarning(log, load)
  const decodeAny: ColumnDecoder = (bytes) => columnsOf(decode('EventBatch', bytes))
  if (addon === undefined) return decodeAny
  const native = new CppDecoder(addon)
  return (bytes) => (isCurrent('EventBatch', bytes) ? native.decode(bytes) : decodeAny(bytes))
}
