// avsc types from schemas, with two changes: records decode to plain objects, and an array that is declared longer than
// its message is an error at once.
import avsc, { type Type } from 'avsc'

interface Tap {
  readonly buf: Buffer
  readonly pos: number
  readLong(): number
  skipLong(): void
}

/** avsc checks for the end of the buffer only after the whole value: with a forged block count it would loop for hours. */
class BoundedArrayType extends avsc.types.ArrayType {
  _read(tap: Tap): unknown[] {
    const items = this.itemsType as unknown as { _read(tap: Tap): unknown }
    const values: unknown[] = []
    for (let count = tap.readLong(); count !== 0; count = tap.readLong()) {
      // After a negative count follows the size of the block in bytes.
      if (count < 0) tap.skipLong()
      for (let left = Math.abs(count); left > 0; left--) {
        values.push(items._read(tap))
        if (tap.pos > tap.buf.length) throw new Error('truncated buffer')
      }
    }
    return values
  }
}

/** @param schema a parsed .avsc */
export const avroType = (schema: object): Type => {
  const registry: Record<string, Type> = {}
  const type = avsc.Type.forSchema(schema as avsc.Schema, {
    registry,
    omitRecordMethods: true,
    typeHook: (part, options) =>
      typeof part === 'object' && 'type' in part && part.type === 'array'
        ? new BoundedArrayType(part as avsc.Schema, options)
        : undefined
  })
  for (const named of Object.values(registry)) {
    if (named instanceof avsc.types.RecordType) named.recordConstructor.prototype = Object.prototype
  }
  return type
}

/** The schema's Parsing Canonical Form, the input of its fingerprint. */
export const canonicalForm = (type: Type): string => JSON.stringify(type.schema())
