// Reads the two clocks that batches carry.
import { addon } from './addon.ts'

/** CLOCK_MONOTONIC and CLOCK_REALTIME at the same moment, in nanoseconds. */
export const readClocks = (): { monotonicNs: bigint; wallNs: bigint } => {
  const [monotonicNs, wallNs] = addon().clock()
  return { monotonicNs, wallNs }
}
