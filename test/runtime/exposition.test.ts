// The text of a scrape: its exact form, and its acceptance by promtool and by a strict OpenMetrics parser.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { exposition, formatFor } from '../../runtime/exposition.ts'
import type { MetricFamily } from '../../runtime/metric-family.ts'
import { watchNode } from '../../runtime/node-metrics.ts'
import { printableLines } from '../../runtime/printable.ts'
import { promtool, promtoolMissing } from '../support/promtool.ts'
import { pythonWith } from '../support/python.ts'

const families: readonly MetricFamily[] = [
  {
    name: 'ringside_edge_published_bytes_total',
    kind: 'counter',
    help: 'Bytes "before" compression,\nwith a \\.',
    labels: ['class'],
    samples: () => [
      { labels: { class: 'a "b"\\\n' }, value: 3 },
      { labels: { class: 'unknown' }, value: Number.NaN },
      { labels: { class: 'gone' }, value: -1 }
    ]
  },
  {
    name: 'ringside_call_duration_seconds',
    kind: 'histogram',
    help: 'Durations.',
    labels: ['call'],
    bounds: [1.024e-6, 2 ** -9, 1],
    samples: () => [
      {
        labels: { call: 'read' },
        buckets: [5, 0, 2, 1],
        sum: 9.5,
        exemplars: [undefined, undefined, { labels: { seq: '17' }, value: 0.75, timeSeconds: 1_769_860_800.5 }]
      }
    ]
  },
  { name: 'ringside_x', kind: 'gauge', help: 'X.', labels: [], samples: () => [{ labels: {}, value: -Infinity }] }
]

test('OpenMetrics has units, exemplars, base names of counters, and an end marker', () => {
  assert.equal(
    exposition(families, { service: 's' }, 'openmetrics'),
    `# HELP ringside_edge_published_bytes Bytes \\"before\\" compression,\\nwith a \\\\.
# TYPE ringside_edge_published_bytes counter
# UNIT ringside_edge_published_bytes bytes
ringside_edge_published_bytes_total{class="a \\"b\\"\\\\x5c\\\\x0a",service="s"} 3
# HELP ringside_call_duration_seconds Durations.
# TYPE ringside_call_duration_seconds histogram
# UNIT ringside_call_duration_seconds seconds
ringside_call_duration_seconds_bucket{call="read",service="s",le="1.024e-06"} 5
ringside_call_duration_seconds_bucket{call="read",service="s",le="0.001953125"} 5
ringside_call_duration_seconds_bucket{call="read",service="s",le="1.0"} 7 # {seq="17"} 0.75 1769860800.500
ringside_call_duration_seconds_bucket{call="read",service="s",le="+Inf"} 8
ringside_call_duration_seconds_sum{call="read",service="s"} 9.5
ringside_call_duration_seconds_count{call="read",service="s"} 8
# HELP ringside_x X.
# TYPE ringside_x gauge
ringside_x{service="s"} -Inf
# EOF
`
  )
})

test('the text format has the same series, without units and exemplars', () => {
  assert.equal(
    exposition(families.slice(0, 2), {}, 'text'),
    `# HELP ringside_edge_published_bytes_total Bytes "before" compression,\\nwith a \\\\.
# TYPE ringside_edge_published_bytes_total counter
ringside_edge_published_bytes_total{class="a \\"b\\"\\\\x5c\\\\x0a"} 3
# HELP ringside_call_duration_seconds Durations.
# TYPE ringside_call_duration_seconds histogram
ringside_call_duration_seconds_bucket{call="read",le="1.024e-06"} 5
ringside_call_duration_seconds_bucket{call="read",le="0.001953125"} 5
ringside_call_duration_seconds_bucket{call="read",le="1"} 7
ringside_call_duration_seconds_bucket{call="read",le="+Inf"} 8
ringside_call_duration_seconds_sum{call="read"} 9.5
ringside_call_duration_seconds_count{call="read"} 8
`
  )
})

test('a client gets OpenMetrics when it prefers version 1.0 at least as much as text', () => {
  const prometheus =
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1'
  assert.equal(formatFor(prometheus), 'openmetrics')
  assert.equal(formatFor('application/openmetrics-text; version=1.0.0; charset=utf-8'), 'openmetrics')
  assert.equal(formatFor('application/openmetrics-text'), 'openmetrics')
  for (const accept of [
    undefined,
    '',
    '*/*',
    'text/html, */*;q=0.8',
    'application/openmetrics-text;version=0.0.1',
    'application/openmetrics-text;q=0, text/plain',
    'text/plain, application/openmetrics-text;q=0.9',
    'application/openmetrics-text;q=x'
  ]) {
    assert.equal(formatFor(accept), 'text', accept)
  }
})

const whole = async (format: 'openmetrics' | 'text'): Promise<string> => {
  const node = watchNode()
  try {
    return exposition([...families, ...(await node.read())], { service: 's' }, format)
  } finally {
    node.close()
  }
}

test('promtool check metrics reports no problem', { skip: promtoolMissing() }, async () => {
  const { code, text } = promtool(['check', 'metrics'], await whole('text'))
  assert.equal(code, 0, text)
  assert.equal(text, '')
})

test('hostile names are printable labels, bounded, and stay different series', () => {
  const names = ['a\u001b', 'a\\x1b', '\u202e', 'x'.repeat(5000), `${'x'.repeat(4999)}y`, 'x'.repeat(512)]
  const samples = () => names.map((name) => ({ labels: { name }, value: 1 }))
  const text = exposition([{ name: 'ringside_x', kind: 'gauge', help: 'X.', labels: ['name'], samples }], {}, 'text')
  assert.equal(printableLines(text), text)
  const series = text.split('\n').filter((line) => line.startsWith('ringside_x{'))
  assert.equal(new Set(series).size, names.length)
})

test('a strict OpenMetrics parser reads the same values and the exemplar', {
  timeout: 180_000
}, async (context) => {
  const env = pythonWith(context, 'prometheus_client')
  if (env === undefined) return
  const program = `
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families
for family in text_string_to_metric_families(sys.stdin.read()):
    for s in family.samples:
        if s.name.startswith('ringside_'):
            e = s.exemplar
            print(json.dumps([s.name, s.labels, str(float(s.value)), family.unit, e and [e.labels, e.value, float(e.timestamp)]]))
`
  const lines = execFileSync('python3', ['-c', program], { env, input: await whole('openmetrics'), encoding: 'utf8' })
  const read = lines.trim().split('\n')
  assert.equal(read.length, 8)
  assert.deepEqual(JSON.parse(read[0] as string), [
    'ringside_edge_published_bytes_total',
    { class: 'a "b"\\x5c\\x0a', service: 's' },
    '3.0',
    'bytes',
    null
  ])
  assert.deepEqual(JSON.parse(read[3] as string), [
    'ringside_call_duration_seconds_bucket',
    { call: 'read', service: 's', le: '1.0' },
    '7.0',
    'seconds',
    [{ seq: '17' }, 0.75, 1_769_860_800.5]
  ])
})
