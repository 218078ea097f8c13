import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HostMetrics } from '../../../consumer/rollups/host-metrics.ts'
import { samples } from '../../support/records.ts'

const status = samples.HostStatus
const watermark = status.watermark / 1e6

const sampleOf = (metrics: HostMetrics) => (name: string) => {
  const family = metrics.families().find((each) => each.name === `ringside_host_${name}`)
  assert.ok(family !== undefined, name)
  return Object.fromEntries([...family.samples()].map(({ labels, value }) => [Object.values(labels).join(' '), value]))
}

test('counts of statuses add up, by host', () => {
  const metrics = new HostMetrics()
  const told = sampleOf(metrics)
  metrics.add(status)
  metrics.add({ ...status, window_start: status.window_start + 1_000_000, late: 2, others: 5 })
  metrics.add({ ...status, host: 'web-2', drops: [], steps: [] })
  assert.deepEqual(told('calls_total'), {
    'web-1 told': 1000,
    'web-1 counted': 24_000,
    'web-2 told': 500,
    'web-2 counted': 12_000
  })
  assert.deepEqual(told('dropped_events_total'), { 'web-1 io ring_full': 14 })
  assert.deepEqual(told('late_calls_total'), { 'web-1': 3, 'web-2': 1 })
  assert.deepEqual(told('other_calls_total'), { 'web-1': 5, 'web-2': 0 })
  assert.deepEqual(told('budget_steps_total'), { 'web-1 io count': 2 })
  assert.deepEqual(told('reduced'), { 'web-1 io': 1 })
})

test('lag goes on to grow while nothing comes, until a run that ended in order', () => {
  let nowMs = 1000 * (watermark + 1.5)
  const metrics = new HostMetrics(() => nowMs)
  const told = sampleOf(metrics)
  metrics.add(status)
  assert.equal(told('lag_seconds')['web-1']?.toFixed(3), '1.500')
  nowMs += 60_000
  assert.equal(told('lag_seconds')['web-1']?.toFixed(3), '61.500')
  assert.deepEqual(told('watermark_timestamp_seconds'), { 'web-1': watermark })
  metrics.add({ ...status, final: true })
  assert.deepEqual([told('lag_seconds'), told('ended')], [{ 'web-1': 0 }, { 'web-1': 1 }])
  metrics.add({ ...status, run: 'another', steps: [] })
  assert.deepEqual([told('ended'), told('reduced')], [{ 'web-1': 0 }, {}])
})
