// Text for people about a record batch that cannot be read.
import type { UnreadableBatch } from './client.ts'

/** offsets 12–19 cannot be read: lz4: corrupt */
export const describeUnreadable = ({ firstOffset, lastOffset, reason }: UnreadableBatch): string => {
  const offsets = firstOffset === lastOffset ? `offset ${firstOffset}` : `offsets ${firstOffset}–${lastOffset}`
  return `${offsets} cannot be read: ${reason}`
}
