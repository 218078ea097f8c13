// Decodes messages of the topic events to columns. Rows of the current schema are decoded in C++ (native/codec); rows of
// other versions, and all rows without the addon, by avsc and columnsOf(). The other fields are always avsc's.
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
 * @returns columns, valid until the next call
 * @throws RingsideError DATA when it is not a whole EventBatch
 */
export type ColumnDecoder = (bytes: Buffer) => ColumnBatch

type Fields = readonly { readonly name: string; readonly type: Type }[]

/** Distinct rows of all hosts of a partition; about 200 bytes each. */
const maxKnownRows = 32_768

const fields: Fields = schemaFields('EventBatch')
const indexOf = (name: keyof ColumnBatch): number => fields.findIndex((field) => field.name === name)
const fieldsBefore = fields.slice(0, indexOf('processes'))
const fieldsAfter = fields.slice(indexOf('summaries') + 1)

const typeIn = <T extends Type>(fields: Fields, name: string): T => {
  const field = fields.find((each) => each.name === name)
  if (field === undefined) throw new RingsideError('SOFTWARE', `schemas/event_batch.avsc has no field ${name}`)
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
  start: number
): { readonly value: unknown; readonly offset: number } => {
  const decoded = type.decode(bytes, start)
  if (decoded.offset < 0) throw new Error(`the message ends within the field at byte ${start}`)
  return decoded
}

/**
 * Decodes fields into a record.
 * @returns the offset of their end
 */
const decodeFields = (fields: Fields, bytes: Buffer, start: number, record: Record<string, unknown>): number => {
  let end = start
  for (const { name, type } of fields) {
    const { value, offset } = decodeField(type, bytes, end)
    record[name] = value
    end = offset
  }
  return end
}

/** Row objects by the number that the native decoder gave the row: equal rows share one object. */
class KnownRows<Row> {
  readonly #type: Type
  #rows: Row[] = []

  constructor(type: Type) {
    this.#type = type
  }

  get size(): number {
    return this.#rows.length
  }

  clear(): void {
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
      if (this.#processes.size + this.#stacks.size > maxKnownRows) this.#clear()
      return batch
    } catch (cause) {
      // The native decoder may have numbered rows of which no object was created.
      this.#clear()
      const why = `cannot decode EventBatch of ${bytes.length} bytes: ${messageOf(cause)}`
      throw new RingsideError('DATA', why, { cause })
    }
  }

  #decode(bytes: Buffer): ColumnBatch {
    const { processes, stacks, events, summaries } = this.#rows
    const record: Record<string, unknown> = {}
    const begin = decodeFields(fieldsBefore, bytes, headerBytes, record)
    const end = decodeFields(fieldsAfter, bytes, this.#native.decode(bytes, begin), record)
    if (end !== bytes.length) throw new Error(`the record ends at byte ${end}`)
    record['processes'] = this.#processes.of(bytes, processes)
    record['stacks'] = this.#stacks.of(bytes, stacks)
    return { ...record, events, summaries } as unknown as ColumnBatch
  }

  #clear(): void {
    this.#native.clear()
    this.#processes.clear()
    this.#stacks.clear()
  }
}

let hasWarned = false

const addonOrWarning = (log: Log, load: () => CodecAddon): CodecAddon | undefined => {
  try {
    const addon = load()
    const schema = schemaFingerprint('EventBatch')
    if (addon.schema === schema) return addon
    throw new Error(`its schema is ${addon.schema}, the current one ${schema}`)
  } catch (error) {
    if (!hasWarned) {
      const why = `cannot load the native decoder: ${messageOf(error)}`
      log.warn(`${why}; decoding with avsc at several times the CPU; build the addon with \`npm run build\``)
    }
    hasWarned = true
    return undefined
  }
}

/** Creates a decoder with its own columns. Without the addon, the first decoder of a process logs a warning. */
export const createColumnDecoder = (log: Log, load = loadCodec): ColumnDecoder => {
  const addon = addonOrWarning(log, load)
  const decodeAny: ColumnDecoder = (bytes) => columnsOf(decode('EventBatch', bytes))
  if (addon === undefined) return decodeAny
  const native = new CppDecoder(addon)
  return (bytes) => (isCurrent('EventBatch', bytes) ? native.decode(bytes) : decodeAny(bytes))
}
