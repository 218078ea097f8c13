// docs/metrics.md documents the metrics that the code exposes.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { consumerMetrics } from '../../consumer/loop/metrics.ts'
import { panelMetrics } from '../../consumer/panel/metrics.ts'
import { RollupMetrics } from '../../consumer/rollups/rollup-metrics.ts'
import { edgeMetrics } from '../../producer/account/metrics.ts'
import { buildInfo } from '../../runtime/metrics-listener.ts'

const families = [
  buildInfo,
  ...edgeMetrics({
    edge: {
      counters: () => ({}),
      ledger: () => ({
        monotonic_us: 0,
        untracked: 0,
        uncounted: 0,
        classes: [],
        steps: [],
        limited: 0,
        process_events: 0,
        bound_steps: [],
        limited_processes: [],
        cpu_process_us: 0,
        cpu_programs_us: -1
      }),
      losses: () => [],
      reduction: { processEvents: 0, classes: [] },
      pressure: 0
    }
  }),
  ...consumerMetrics({
    counters: () => {
      throw new Error('not asked for')
    },
    lags: () => [],
    membership: { isMember: true, crashes: 0, rejoins: 0, lastError: undefined }
  }),
  ...panelMetrics(() => ({ sockets: 0, sent: 0, skipped: 0, rows: 0, messages: 0, unreadable: 0 })),
  ...new RollupMetrics({ windowMs: 1000, latenessMs: 10_000, maxSeries: 1 }).families
]

const page = readFileSync(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8')

test('docs/metrics.md lists every metric with its kind and its labels, and no other', () => {
  const rows = page.matchAll(/^\| `(ringside_\w+)` \| (\w+) \|([^|]*)\|/gm)
  const listed = [...rows].map(([, name, kind, labels]) => ({
    name,
    kind,
    labels: [...(labels ?? '').matchAll(/`(\w+)`/g)].map(([, label]) => label)
  }))
  assert.deepEqual(
    listed,
    families.map(({ name, kind, labels }) => ({ name, kind, labels: [...labels] }))
  )
})

test('metric names and help texts follow the conventions of Prometheus', () => {
  for (const { name, kind, help } of families) {
    assert.match(name, /^ringside_[a-z_]+$/)
    assert.equal(name.endsWith('_total'), kind === 'counter', name)
    assert.match(help, /^[A-Z1].*\.$/, name)
  }
})
