// Rows as cel-js takes them. Its int is a BigInt and a JavaScript number its double: without the
// change, `pid + 1` and `pid % 2` would have no overload. And it knows `bytes` as the name of a type, which
// no variable can take, so that field goes by another name within expressions.

const toCel = (value: unknown): unknown => {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  if (Array.isArray(value)) return value.map(toCel)
  if (typeof value === 'object' && value !== null) return toCelRecord(value)
  return value
}

/** The variable that stands for a field. */
export const variableOf = (field: string): string => (field === 'bytes' ? 'bytes_moved' : field)

/** The record's fields by their variables, every whole number as a BigInt, at any depth. */
export const toCelRecord = (record: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).map(([field, value]) => [variableOf(field), toCel(value)]))

// Text literals are matched first, so that the word is left alone within them; bytes(x) is the conversion.
const textOrField = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?<![\w.])bytes\b(?!\s*\()/g

/** The expression with fields named as variables. */
export const withVariables = (expression: string): string =>
  expression.replace(textOrField, (match) => variableOf(match))
