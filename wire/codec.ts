// Encodes records of schemas/ as message values and decodes them: Avro single-object encoding (C3 01, fingerprint of the
// schema, body). Writes the current version of a schema, reads every version in schemas/history/.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Type, types } from 'avsc'
import { messageOf, RingsideError } from '../runtime/errors.ts'
import { avroType, canonicalForm } from './avro-type.ts'
import { fingerprintOf } from './fingerprint.ts'
import type { Alert, AuditRecord, EventBatch, HostStatus, Rollup } from './types.ts'

/** The TypeScript type of each schema. */
export interface Records {
  EventBatch: EventBatch
  Rollup: Rollup
  HostStatus: HostStatus
  Alert: Alert
  AuditRecord: AuditRecord
}

export type SchemaName = keyof Records

interface Writer {
  readonly name: SchemaName
  readonly type: Type
  readonly header: Buffer
}

interface Reader {
  readonly name: SchemaName
  readonly read: (body: Buffer) => unknown
}

export const schemaFiles: Readonly<Record<SchemaName, string>> = {
  EventBatch: 'event_batch',
  Rollup: 'rollup',
  HostStatus: 'host_status',
  Alert: 'alert',
  AuditRecord: 'audit_record'
}

const schemasDir = join(import.meta.dirname, '..', 'schemas')
const magic = Buffer.from([0xc3, 0x01])
/** Length of the header before the body of every message. */
export const headerBytes = magic.length + 8

const load = (path: string): Type => avroType(JSON.parse(readFileSync(path, 'utf8')) as object)

const writers = {} as Record<SchemaName, Writer>
const readers = new Map<string, Reader>()

for (const name of Object.keys(schemaFiles) as SchemaName[]) {
  const current = load(join(schemasDir, `${schemaFiles[name]}.avsc`))
  const historyDir = join(schemasDir, 'history', schemaFiles[name])
  for (const file of readdirSync(historyDir)) {
    const past = load(join(historyDir, file))
    const resolver = current.createResolver(past)
    readers.set(fingerprintOf(canonicalForm(past)).toString('hex'), {
      name,
      read: (body) => current.fromBuffer(body, resolver)
    })
  }
  const fingerprint = fingerprintOf(canonicalForm(current))
  readers.set(fingerprint.toString('hex'), { name, read: (body) => current.fromBuffer(body) })
  writers[name] = { name, type: current, header: Buffer.concat([magic, fingerprint]) }
}

/** Fingerprint of the current schema as 16 hex digits: bytes 2 to 9 of every message. */
export const schemaFingerprint = (name: SchemaName): string => writers[name].header.toString('hex', magic.length)

/** True when the message was written with the current version of the schema. */
export const isCurrent = (name: SchemaName, bytes: Buffer): boolean =>
  bytes.length >= headerBytes && writers[name].header.compare(bytes, 0, headerBytes) === 0

/** Fields of the current schema, in encoding order. */
export const schemaFields = (name: SchemaName): readonly { readonly name: string; readonly type: Type }[] =>
  (writers[name].type as types.RecordType).fields

// Grows to the largest message: avsc encodes twice as fast into an existing buffer.
let scratch = Buffer.allocUnsafeSlow(1 << 20)

/**
 * Encodes a record as the value of a message.
 * @returns a new buffer
 * @throws RingsideError SOFTWARE when the value does not fit the schema, for example a long beyond ±(2^53−2)
 */
export const encode = <N extends SchemaName>(name: N, value: Records[N]): Buffer => {
  const { type, header } = writers[name]
  header.copy(scratch)
  try {
    for (;;) {
      const end = type.encode(value, scratch, headerBytes)
      if (end >= 0) return Buffer.from(scratch.subarray(0, end))
      const larger = Buffer.allocUnsafeSlow(2 * (scratch.length - end))
      header.copy(larger)
      scratch = larger
    }
  } catch (cause) {
    throw new RingsideError('SOFTWARE', `cannot encode ${name}: ${messageOf(cause)}`, { cause })
  }
}

/**
 * Decodes a message value of any known version of the schema.
 * @throws RingsideError DATA when the bytes are not one whole record of this name
 */
export const decode = <N extends SchemaName>(name: N, bytes: Buffer): Records[N] => {
  if (bytes.length < headerBytes || bytes[0] !== magic[0] || bytes[1] !== magic[1]) {
    const start = bytes.subarray(0, headerBytes).toString('hex') || 'nothing'
    throw new RingsideError(
      'DATA',
      `cannot decode ${name}: the message of ${bytes.length} bytes starts with ${start}, but Avro single-object encoding starts with c301 and an 8-byte fingerprint`
    )
  }
  const fingerprint = bytes.toString('hex', magic.length, headerBytes)
  const reader = readers.get(fingerprint)
  if (reader === undefined) {
    throw new RingsideError(
      'DATA',
      `cannot decode ${name}: no schema in ${schemasDir} has the fingerprint ${fingerprint}; upgrade this Ringside if a newer one wrote the message`
    )
  }
  if (reader.name !== name)
    throw new RingsideError('DATA', `cannot decode ${name}: the message has the schema ${reader.name}`)
  try {
    return reader.read(bytes.subarray(headerBytes)) as Records[N]
  } catch (cause) {
    const why = `cannot decode ${name} of ${bytes.length} bytes: ${messageOf(cause)}`
    throw new RingsideError('DATA', why, { cause })
  }
}
