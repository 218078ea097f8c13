// CEL's int is a BigInt in cel-js and a JavaScript number is its double: without this, `pid + 1`
// and `pid % 2` would have no overload.

const toCel = (value: unknown): unknown => {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  if (Array.isArray(value)) return value.map(toCel)
  if (typeof value === 'object' && value !== null) return integersToCel(value)
  return value
}

/** The same record with every whole number as a BigInt, at any depth. */
export const integersToCel = (record: object): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, toCel(value)]))
