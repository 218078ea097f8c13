// Why a consumer service does not do its work: it is not in its group, makes no progress, or has no answer of the broker.
import { formatCount } from '../../runtime/format-number.ts'
import type { ConsumeLoop } from './consume-loop.ts'

/** A broker's restart takes some 15 s, as does a join after a kill: the group waits for the session of the dead member. */
const longSeconds = 60

/** @returns one line for each problem */
export const consumerProblems = (loop: Pick<ConsumeLoop, 'membership' | 'lags' | 'lagFailure'>): string[] => {
  const { membership, lagFailure } = loop
  const problems: string[] = []
  if (!membership.isMember) {
    const why = membership.lastError === undefined ? 'no join yet' : membership.lastError
    problems.push(`not a member of the consumer group: ${why}; check that Kafka answers (\`ringside doctor\`)`)
  }
  if (lagFailure !== undefined && lagFailure.seconds > longSeconds) {
    problems.push(`the lag is unknown for ${Math.round(lagFailure.seconds)} s: ${lagFailure.message}`)
  }
  for (const { topic, partition, records, stalledSeconds } of loop.lags()) {
    if (stalledSeconds <= longSeconds) continue
    const waiting = records === 0 ? 'it has not started' : `${formatCount(records)} message(s) wait`
    const { crashes, rejoins } = membership
    problems.push(
      `no progress in partition ${partition} of ${topic} for ${Math.round(stalledSeconds)} s, ${waiting} (${crashes} crashes, ${rejoins} rejoins): see the log`
    )
  }
  return problems
}
