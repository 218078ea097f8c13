// Metadata of the loop's commits: how far the loop has handled the partition, beside the metadata of the handler. The
// committed offset is something else: where a restart reads from, to rebuild state.

export interface CommitMetadata {
  /** The offset after the last handled message: a restart only reads the messages before it again. */
  readonly next: bigint
  /** Of the handler's checkpoint. */
  readonly handler: string
}

/** Digits of an offset, and the space behind them. */
export const ownBytes = 20

export const formatMetadata = ({ next, handler }: CommitMetadata): string => `${next} ${handler}`

/** Undefined for metadata that the loop has not written, as when people have reset a group's offsets. */
export const parseMetadata = (metadata: string): CommitMetadata | undefined => {
  const [, next, handler = ''] = /^(\d+) (.*)$/s.exec(metadata) ?? []
  return next === undefined ? undefined : { next: BigInt(next), handler }
}
