// How long to wait before the next attempt to connect. Pure.

const firstMs = 250
/** A person who looks at the page should not wait longer after the service is back. */
const longestMs = 10_000

/**
 * Doubles from 250 ms to 10 s, less up to half by chance, so that many pages do not come back at once.
 * @param attempt 0 for the first; @param chance from 0 to 1
 */
export const reconnectDelayMs = (attempt: number, chance: number): number =>
  Math.round(Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 16)) * (1 - chance / 2))
