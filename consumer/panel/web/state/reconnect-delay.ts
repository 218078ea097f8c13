// The delay before the next attempt to connect. Pure.

const firstMs = 250
/** Longest wait of a user after the service is up again. */
const longestMs = 10_000

/**
 * Doubles from 250 ms to 10 s. A random part of up to half is subtracted, so that many pages do not reconnect at once.
 * @param attempt 0 for the first; @param random from 0 to 1
 */
export const reconnectDelayMs = (attempt: number, random: number): number =>
  Math.round(Math.min(longestMs, firstMs * 2 ** Math.min(attempt, 16)) * (1 - random / 2))
