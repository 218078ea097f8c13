import assert from 'node:assert/strict'
import { test } from 'node:test'
import { edgeMetrics } from '../../../producer/account/metrics.ts'
import { eventClasses } from '../../../wire/event-class.ts'

const counts = { off: 1, counted: 2, emitted: 30, dropped: 4, published: 25, spooled: 3 }

const families = edgeMetrics({
  edge: {
    counters: () => ({ published_earlier: 7, batches: 8, spoolBytes: 9 }),
    ledger: () => ({
      monotonic_us: 1,
      untracked: 5,
      uncounted: 6,
      classes: eventClasses.map((name) => ({ class: name, ...counts })),
      steps: [],
      limited: 8,
      process_events: 512,
      bound_steps: [],
      limited_processes: [],
      cpu_process_us: 1_500_000,
      cpu_programs_us: -1
    }),
    losses: () => [{ class: 'file', reason: 'spool_full', count: 2 }],
    reduction: { processEvents: 512, classes: ['io', 'file'] },
    pressure: 0.25
  },
  cpu: () => ({ process: 0.02, programs: undefined })
})

const exposed = (name: string): Record<string, number> => {
  const family = families.find((each) => each.name === name)
  assert.ok(family !== undefined, name)
  return Object.fromEntries([...family.samples()].map(({ labels, value }) => [Object.values(labels).join(' '), value]))
}

test('events are exposed by class and outcome, drops also by reason', () => {
  const samples = exposed('ringside_edge_events_total')
  assert.equal(samples['network emitted '], 30)
  assert.equal(samples['network published '], 25)
  assert.equal(samples['file dropped ring_full'], 4)
  assert.equal(samples['file dropped spool_full'], 2)
  assert.equal(Object.keys(samples).length, 4 * 5 + 1)
  assert.deepEqual(exposed('ringside_edge_spooled_events'), { process: 3, network: 3, file: 3, io: 3 })
})

test('metrics have the figures of the edge, without those that are not measured', () => {
  assert.deepEqual(exposed('ringside_edge_untracked_calls_total'), { '': 5 })
  assert.deepEqual(exposed('ringside_edge_earlier_published_events_total'), { '': 7 })
  assert.deepEqual(exposed('ringside_edge_spool_bytes'), { '': 9 })
  assert.deepEqual(exposed('ringside_edge_ring_unreleased_ratio'), { '': 0.25 })
  assert.deepEqual(exposed('ringside_edge_reduced'), { process: 0, network: 0, file: 1, io: 1 })
  assert.deepEqual(exposed('ringside_edge_process_events_limit'), { '': 512 })
  assert.deepEqual(exposed('ringside_edge_limited_calls_total'), { '': 8 })
  assert.deepEqual(exposed('ringside_edge_cpu_seconds_total'), { process: 1.5 })
  assert.deepEqual(exposed('ringside_edge_cpu_ratio'), { process: 0.02 })
})
