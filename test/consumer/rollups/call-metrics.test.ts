import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CallMetrics } from '../../../consumer/rollups/call-metrics.ts'
import { exposition } from '../../../runtime/exposition.ts'
import type { Rollup } from '../../../wire/types.ts'
import { promtool, promtoolMissing } from '../../support/promtool.ts'
import { samples } from '../../support/records.ts'

const startUs = 1_769_860_800_000_000
const options = { windowMs: 1000, latenessMs: 10_000, maxSeries: 10 }

/** A row of `count` calls that took 1 µs, and one that took 1 ms and failed with EAGAIN. */
const rowOf = (count: number, more: Partial<Rollup> = {}): Rollup => ({
  ...samples.Rollup,
  by: 'workload',
  window_start: startUs,
  count: count + 1,
  total_ns: count * 1000 + 1_000_000,
  bytes: 10 * count,
  latency: [
    { index: 32 * 9 + 30, count },
    { index: 32 * 19 + 29, count: 1 }
  ],
  ...{ failed: 0, expected: 1, interrupted: 0 },
  errnos: [{ errno: 'EAGAIN', count: 1 }],
  ...more
})

const text = (metrics: CallMetrics): string => exposition(metrics.families(), {}, 'openmetrics')
const line = (metrics: CallMetrics, start: string): string | undefined =>
  text(metrics)
    .split('\n')
    .find((each) => each.startsWith(start))
    ?.slice(start.length + 1)

const read = '{host="web-1",workload="/usr/bin/curl",call="read"}'
const errnos = (call: string, errno: string, verdict: string): string =>
  `ringside_call_errnos_total{host="web-1",workload="/usr/bin/curl",call="${call}",errno="${errno}",verdict="${verdict}"}`
const bucket = (le: string): string =>
  `ringside_call_duration_seconds_bucket{host="web-1",workload="/usr/bin/curl",call="read",le="${le}"}`

test('a row becomes an exact histogram, with errors by errno and verdict, and bytes', () => {
  const metrics = new CallMetrics(options)
  metrics.add(rowOf(500))
  assert.equal(line(metrics, bucket('1.024e-06')), '500')
  assert.equal(line(metrics, bucket('0.000524288')), '500')
  assert.equal(line(metrics, bucket('0.001048576')), '501')
  assert.equal(line(metrics, bucket('+Inf')), '501')
  assert.equal(line(metrics, `ringside_call_duration_seconds_sum${read}`), '0.0015')
  assert.equal(line(metrics, errnos('read', 'EAGAIN', 'expected')), '1')
  assert.equal(line(metrics, `ringside_call_bytes_total${read}`), '5000')
})

test('the verdict of an errno is that of its call, also in the series of all other calls', () => {
  const metrics = new CallMetrics(options)
  const errno = [{ errno: 'EAGAIN', count: 2 }]
  metrics.add(rowOf(5, { syscall: 'fork', errnos: errno, failed: 2, expected: 0 }))
  assert.equal(line(metrics, errnos('fork', 'EAGAIN', 'failed')), '2')
  metrics.add(rowOf(5, { workload: 'other', other: true }))
  metrics.add(rowOf(5, { workload: 'other', other: true, syscall: 'fork', errnos: errno }))
  const rest = (verdict: string): string | undefined =>
    line(metrics, errnos('other', 'EAGAIN', verdict).replace('/usr/bin/curl', 'other'))
  assert.deepEqual([rest('expected'), rest('failed')], ['1', '2'])
})

test('a later revision adds only its difference, a duplicate nothing', () => {
  const metrics = new CallMetrics(options)
  metrics.add(rowOf(100, { revision: 1, complete: false }))
  metrics.add(rowOf(180, { revision: 2 }))
  metrics.add(rowOf(180, { revision: 2 }))
  metrics.add(rowOf(200, { revision: 3 }))
  assert.equal(line(metrics, bucket('+Inf')), '201')
  metrics.add(rowOf(10, { window_start: startUs + 1_000_000 }))
  assert.equal(line(metrics, bucket('+Inf')), '212')
})

test('a revision of a row that another process published adds nothing', () => {
  const metrics = new CallMetrics(options)
  metrics.add(rowOf(100, { revision: 4 }))
  assert.equal(line(metrics, bucket('+Inf')), undefined)
  metrics.add(rowOf(103, { revision: 5 }))
  assert.equal(line(metrics, bucket('+Inf')), '3')
})

test('rows of longer windows and processes are skipped, rows named other share one series', () => {
  const metrics = new CallMetrics(options)
  metrics.add(rowOf(100, { window_ms: 10_000 }))
  metrics.add(rowOf(100, { by: 'process' }))
  assert.ok(!text(metrics).includes('_bucket'))
  metrics.add(rowOf(100, { workload: 'other', other: true }))
  assert.equal(line(metrics, 'ringside_call_overflow_total{host="web-1"}'), '101')
  assert.equal(line(metrics, 'ringside_call_duration_seconds_count{host="web-1",workload="other",call="other"}'), '101')
})

test('the number of series is bounded, and within minutes the busiest calls have them', () => {
  const metrics = new CallMetrics({ ...options, maxSeries: 3 })
  let calls = 0
  for (let second = 0; second < 200; second++) {
    for (let i = 0; i < 8; i++) {
      const count = 10 * (i + 1) ** 2
      calls += count + 1
      metrics.add(rowOf(count, { workload: `w${i}`, window_start: startUs + second * 1_000_000 }))
    }
  }
  const counts = [...text(metrics).matchAll(/_count\{host="web-1",workload="(\w+)",call="\w+"\} (\d+)/g)]
  assert.equal(counts.length, 4)
  assert.deepEqual(counts.map(([, workload]) => workload).sort(), ['other', 'w5', 'w6', 'w7'])
  const overflow = Number(line(metrics, 'ringside_call_overflow_total{host="web-1"}'))
  assert.ok(overflow > 0 && overflow < calls)
})

test("a slow event is the exemplar of its bucket, within OpenMetrics' limit of 128 characters", () => {
  const metrics = new CallMetrics(options)
  metrics.add(rowOf(500))
  const slow = {
    ...{ host: 'web-1', workload: '/usr/bin/curl', call: 'read', durationNs: 1_000_000, timeSeconds: 1_769_860_800.5 },
    ...{ boot: '6f0c6a3e-4b7a-4f0f-9d55-0a3a3c1b2d4e', cpu: 511, seq: 2 ** 53 - 1 }
  }
  metrics.exemplify(slow)
  metrics.exemplify({ ...slow, workload: 'unknown' })
  assert.equal(
    line(metrics, bucket('0.001048576')),
    '501 # {boot="6f0c6a3e-4b7a-4f0f-9d55-0a3a3c1b2d4e",cpu="511",seq="9007199254740991"} 0.001 1769860800.500'
  )
})

test('promtool accepts the exposition', { skip: promtoolMissing() }, () => {
  const metrics = new CallMetrics(options)
  metrics.add(rowOf(500))
  assert.deepEqual(promtool(['check', 'metrics'], exposition(metrics.families(), {}, 'text')), { code: 0, text: '' })
})
