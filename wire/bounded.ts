// The range of whole numbers in records: the longs that avsc writes.

export const maxLong = 2 ** 53 - 2

/**
 * A sum as a record can have it. A hundred threads that sleep for a month together exceed the range; forged counts do, and
 * must not take an honest batch with them.
 */
export const bounded = (sum: number): number => Math.min(sum, maxLong)
