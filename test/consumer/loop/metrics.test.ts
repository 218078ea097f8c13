import assert from 'node:assert/strict'
import { test } from 'node:test'
import { consumerMetrics } from '../../../consumer/loop/metrics.ts'

const counters = {
  batches: 2,
  events: 10,
  replayed: 3,
  duplicates: 1,
  rejected: 2,
  rollups: 4,
  hosts: 2,
  alerts: 0,
  alertUpdates: 5,
  audit: 0,
  other: 0,
  deadletters: 6,
  lagRecords: 9,
  crashes: 3,
  rejoins: 4,
  late: 7
}

const families = consumerMetrics({
  counters: () => counters,
  lags: () => [{ topic: 'ringside.events', partition: 2, records: 9, seconds: 1.5, stalledSeconds: 70 }],
  membership: { isMember: true, crashes: 3, rejoins: 4, lastError: undefined }
})

const valuesOf = (name: string): Record<string, number> => {
  const family = families.find((each) => each.name === name)
  assert.ok(family !== undefined, name)
  return Object.fromEntries([...family.samples()].map(({ labels, value }) => [Object.values(labels).join(), value]))
}

test('each counter of the loop is a metric, and each counter of a handler is a label', () => {
  assert.deepEqual(valuesOf('ringside_consumer_batches_total'), { '': 2 })
  assert.deepEqual(valuesOf('ringside_consumer_duplicate_events_total'), { '': 1 })
  assert.deepEqual(valuesOf('ringside_consumer_rejected_rows_total'), { '': 2 })
  assert.deepEqual(valuesOf('ringside_consumer_published_records_total'), {
    rollup: 4,
    host_status: 2,
    alert: 0,
    alert_update: 5,
    audit_record: 0,
    other: 0,
    dead_letter: 6
  })
  assert.deepEqual(valuesOf('ringside_consumer_handler_total'), { late: 7 })
})

test('lag is exposed by partition, in messages and in seconds', () => {
  assert.deepEqual(valuesOf('ringside_consumer_lag_messages'), { 'ringside.events,2': 9 })
  assert.deepEqual(valuesOf('ringside_consumer_lag_seconds'), { 'ringside.events,2': 1.5 })
})

test('a stalled partition, crashes and rejoins are exposed', () => {
  assert.deepEqual(valuesOf('ringside_consumer_stalled_seconds'), { 'ringside.events,2': 70 })
  assert.deepEqual(valuesOf('ringside_consumer_member'), { '': 1 })
  assert.deepEqual(valuesOf('ringside_consumer_crashes_total'), { '': 3 })
  assert.deepEqual(valuesOf('ringside_consumer_rejoins_total'), { '': 4 })
})
