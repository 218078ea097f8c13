// Offsets of partitions and groups, as the brokers have them.
import type { Commit } from '../client.ts'
import type { Admin } from './library.ts'

export interface Bounds {
  readonly low: bigint
  readonly high: bigint
}

const nothingCommitted = -1n

export const keyOf = (topic: string, partition: number): string => `${topic}/${partition}`

export const fetchBounds = async (admin: Admin, topics: Iterable<string>): Promise<Map<string, Bounds>> => {
  const bounds = new Map<string, Bounds>()
  for (const topic of topics) {
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      bounds.set(keyOf(topic, partition), { low: BigInt(low), high: BigInt(high) })
    }
  }
  return bounds
}

/** The committed offsets of a group in these topics. */
export const fetchCommits = async (admin: Admin, groupId: string, topics: readonly string[]): Promise<Commit[]> => {
  const commits: Commit[] = []
  for (const { topic, partitions } of await admin.fetchOffsets({ groupId, topics: [...topics] })) {
    for (const { partition, offset, metadata } of partitions) {
      if (BigInt(offset) === nothingCommitted) continue
      commits.push({ topic, partition, offset: BigInt(offset), metadata: metadata ?? '' })
    }
  }
  return commits
}
