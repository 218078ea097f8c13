// Rows as cel-js values. Its int is a BigInt and its double a number, so whole numbers become BigInts: `pid + 1` and
// `pid % 2` need ints. `bytes` is a type name in CEL, so the field `bytes` has another name in expressions.

const toCel = (value: unknown): unknown => {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  if (Array.isArray(value)) return value.map(toCel)
  if (typeof value === 'object' && value !== null) return toCelRecord(value)
  return value
}

/** The variable name of a field. */
export const variableOf = (field: string): string => (field === 'bytes' ? 'bytes_moved' : field)

/** The record's fields under their variable names, whole numbers as BigInts at any depth. */
export const toCelRecord = (record: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).map(([field, value]) => [variableOf(field), toCel(value)]))

// Text literals are matched first, to leave them unchanged; bytes(x) is CEL's conversion.
const textOrField = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?<![\w.])bytes\b(?!\s*\()/g

/** The expression with variable names in place of field names. */
export const withVariables = (expression: string): string =>
  expression.replace(textOrField, (match) => variableOf(match))
