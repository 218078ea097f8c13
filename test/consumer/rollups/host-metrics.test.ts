import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HostMetrics } from '../../../consumer/rollups/host-metrics.ts'
import { samples } from '../../support/records.ts'

const status = samples.HostStatus
const watermark = status.watermark / 1e6

const samplesOf = (metrics: HostMetrics) => (name: string) => {
  const family = metrics.families().find((each) => each.name === `ringside_host_${name}`)
  assert.ok(family !== undefined, name)
  return Object.fromEntries([...family.samples()].map(({ labels, value }) => [Object.values(labels).join(' '), value]))
}

test('the counts of statuses add up, by host', () => {
  const metrics = new HostMetrics()
  const exposed = samplesOf(metrics)
  metrics.add(status)
  metrics.add({ ...status, window_start: status.window_start + 1_000_000, late: 2, others: 5 })
  metrics.add({ ...status, host: 'web-2', drops: [], steps: [] })
  assert.deepEqual(exposed('calls_total'), {
    'web-1 emitted': 1000,
    'web-1 counted': 24_000,
    'web-2 emitted': 500,
    'web-2 counted': 12_000
  })
  assert.deepEqual(exposed('dropped_events_total'), { 'web-1 io ring_full': 14 })
  assert.deepEqual(exposed('late_calls_total'), { 'web-1': 3, 'web-2': 1 })
  assert.deepEqual(exposed('other_calls_total'), { 'web-1': 5, 'web-2': 0 })
  assert.deepEqual(exposed('budget_steps_total'), { 'web-1 io count': 2 })
  assert.deepEqual(exposed('reduced'), { 'web-1 io': 1 })
})

test('the lag of a silent host grows, unless its run ended in order', () => {
  let nowMs = 1000 * (watermark + 1.5)
  const metrics = new HostMetrics(() => nowMs)
  const exposed = samplesOf(metrics)
  metrics.add(status)
  assert.equal(exposed('lag_seconds')['web-1']?.toFixed(3), '1.500')
  nowMs += 60_000
  assert.equal(exposed('lag_seconds')['web-1']?.toFixed(3), '61.500')
  assert.deepEqual(exposed('watermark_timestamp_seconds'), { 'web-1': watermark })
  metrics.add({ ...status, final: true })
  assert.deepEqual([exposed('lag_seconds'), exposed('ended')], [{ 'web-1': 0 }, { 'web-1': 1 }])
  metrics.add({ ...status, run: 'another', steps: [] })
  assert.deepEqual([exposed('ended'), exposed('reduced')], [{ 'web-1': 0 }, {}])
})
