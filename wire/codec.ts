// Records of schemas/ to message values and back: Avro single-object encoding (C3 01, the schema's
// fingerprint, the body). Every version in schemas/history/ can be read; the current one is written.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Type, types } from 'avsc'
import { messageOf, RingsideError } from '../runtime/errors.ts'
import { avroType, canonicalForm } from './avro-type.ts'
import { fingerprintOf } from './fingerprint.ts'
import type { Alert, AuditRecord, EventBatch, HostStatus, Rollup } from './types.ts'

/** What each schema's records are in TypeScript. */
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
/** Before the body of every message. */
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

/** Of the schema that is written, as 16 hex digits: the bytes 2 to 9 of every message. */
export const schemaFingerprint = (name: SchemaName): string => writers[name].header.toString('hex', magic.length)

/** Whether a message's value was written by the schema of today. */
export const isCurrent = (name: SchemaName, bytes: Buffer): boolean =>
  bytes.length >= headerBytes && writers[name].header.compare(bytes, 0, headerBytes) === 0

/** Of the schema of today, in the order in which they are written. */
export const schemaFields = (name: SchemaName): readonly { readonly name: string; readonly type: Type }[] =>
  (writers[name].type as types.RecordType).fields

// Grows to the largest message: avsc encodes twice as fast into a buffer that is there already.
let scratch = Buffer.allocUnsafeSlow(1 << 20)

/**
 * Encodes a record as the value of a message.
 * @returns a buffer of its own
 * @throws RingsideError SOFTWARE when the value does not fit the schema (a long beyond ±(2^53−2), say)
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
    throw new RingsideError('SOFTWARE', `cannot encode this ${name}: ${messageOf(cause)}`, { cause })
  }
}

/**
 * Decodes a message value, whichever version of the schema wrote it.
 * @throws RingsideError DATA when it is not a whole record of that name
 */
export const decode = <N extends SchemaName>(name: N, bytes: Buffer): Records[N] => {
  if (bytes.length < headerBytes || bytes[0] !== magic[0] || bytes[1] !== magic[1]) {
    const start = bytes.subarray(0, headerBytes).toString('hex') || 'nothing'
    throw new RingsideError(
      'DATA',
      `not a ${name}: a message of ${bytes.length} bytes that begins with ${start}, where Avro single-object encoding begins with c301 and 8 bytes of fingerprint`
    )
  }
  const fingerprint = bytes.toString('hex', magic.length, headerBytes)
  const reader = readers.get(fingerprint)
  if (reader === undefined) {
    throw new RingsideError(
      'DATA',
      `not a ${name} that this version can read: no schema in ${schemasDir} has the fingerprint ${fingerprint}; upgrade the reader if a newer Ringside wrote it`
    )
  }
  if (reader.name !== name) throw new RingsideError('DATA', `expected a ${name}, but the message is of ${reader.name}`)
  try {
    return reader.read(bytes.subarray(headerBytes)) as Records[N]
  } catch (cause) {
    throw new RingsideError('DATA', `a ${name} of ${bytes.length} bytes cannot be decoded: ${messageOf(cause)}`, {
      cause
    })
  }
}
