import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consumerProblems } from '../../../consumer/loop/health.ts'

const membership = { isMember: true, crashes: 0, rejoins: 0, lastError: undefined }
const lag = { topic: 'ringside.events', partition: 2, records: 0, seconds: 0, stalledSeconds: 0 }
const well = { membership, lagFailure: undefined, lags: () => [lag] }

test('a member that makes progress is ready, also with a long way to go', () => {
  const lags = () => [{ ...lag, records: 1_000_000, seconds: 3600, stalledSeconds: 5 }]
  assert.deepEqual(consumerProblems({ ...well, lags }), [])
})

test('a service that has not joined, or lost its membership, is not ready', () => {
  assert.match(consumerProblems({ ...well, membership: { ...membership, isMember: false } }).join(), /no join yet/)
  const lost = { ...membership, isMember: false, lastError: 'no fetch for 90 s' }
  assert.match(consumerProblems({ ...well, membership: lost }).join(), /not a member .*: no fetch for 90 s; check/)
})

test('a partition without progress names its waiting messages, crashes and rejoins', () => {
  const lags = () => [lag, { ...lag, partition: 1, records: 12_345, stalledSeconds: 61.4 }]
  const [problem, ...others] = consumerProblems({
    ...well,
    lags,
    membership: { ...membership, crashes: 3, rejoins: 9 }
  })
  assert.deepEqual(others, [])
  assert.match(
    problem ?? '',
    /no progress in partition 1 of ringside\.events for 61 s, 12,345 message\(s\) wait \(3 crashes, 9 rejoins\)/
  )
})

test('a broker that does not answer for a minute is a problem', () => {
  const failing = (seconds: number) => ({ ...well, lagFailure: { seconds, message: 'Kafka at k:1 does not answer' } })
  assert.deepEqual(consumerProblems(failing(20)), [])
  assert.match(consumerProblems(failing(90)).join(), /the lag is unknown for 90 s: Kafka at k:1 does not answer/)
})
