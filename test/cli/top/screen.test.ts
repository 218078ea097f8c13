import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecentRollups } from '../../../cli/top/recent.ts'
import { type Grouping, groupingRules, groupings, type Sorting, topRows, totals } from '../../../cli/top/rows.ts'
import { screen, type View } from '../../../cli/top/screen.ts'
import { rollup, status } from './rollup.ts'

const viewOf = (by: Grouping, sort: Sorting, over: Partial<View> = {}): View => {
  const recent = new RecentRollups({ spanMs: 10_000, partialAfterMs: 500 })
  for (const kind of ['process', 'workload', 'go_function'] as const) {
    recent.add(rollup({ by: kind, failed: 5, expected: 3, bytes: 2048 }), 2000)
    recent.add(rollup({ by: kind, host: 'b', syscall: 'write', exe: null, comm: 'evil\u001b[2J' }), 2000)
  }
  recent.addStatus(status(), 2000)
  recent.addStatus(status({ host: 'b', drops: [{ class: 'io', reason: 'ring_full', count: 12 }] }), 2000)
  const parts = recent.parts(groupingRules[by].of, 0)
  const rows = topRows(parts, by, sort)
  const common = {
    by,
    sort,
    spanMs: 10_000,
    nowMs: 2700,
    silentBeforeMs: 0,
    isFiltered: false,
    isReading: false,
    width: 120,
    height: 40
  }
  return { ...common, hosts: recent.hosts(), totals: totals(parts), rows, ...over }
}

const textOf = (view: View): string => screen(view, undefined).join('\n')

test('the header has the span, the hosts and their age, rates and drops', () => {
  const lines = screen(viewOf('process-call', 'failed'), 'q quit')
  assert.equal(lines[0], 'ringside top   00:00:02 UTC   the last 10.0 s by process-call, most failed first')
  assert.equal(lines[1], 'hosts   a 0.6 s ago, b 0.6 s ago')
  assert.equal(lines[2], 'calls   20.0/s, failed 5.00/s (25.0%), expected errors 3.00/s')
  assert.equal(lines[3], 'stream  emitted 60.0/s, counted 140/s, dropped 12.0, late 0, in "other" 0.0%')
  assert.match(
    lines[5] ?? '',
    /^host +pid +program +call +calls\/s +failed\/s▾ +failed% +expected\/s +p50 +p99 +time +bytes\/s$/
  )
  assert.match(lines[6] ?? '', /^a +1 +x +read +10.0 +5.00 +50.0% +3.00 +100ns +100ns +50.0% +2.05k$/)
  assert.equal(lines.at(-1), 'q quit')
})

test('every grouping shows the columns that identify its rows', () => {
  const titles = groupings.map((by) => [by, screen(viewOf(by, 'time'), undefined)[5]?.split(/ +calls/)[0]])
  assert.deepEqual(
    titles.map(([by, title]) => [by, title?.trim().split(/ {2,}/)]),
    [
      ['process-call', ['host', 'pid', 'program', 'call']],
      ['process', ['host', 'pid', 'program']],
      ['call', ['host', 'call']],
      ['workload', ['host', 'workload']],
      ['container', ['host', 'container']],
      ['go_function', ['host', 'workload', 'go function', 'call']],
      ['host', ['host']]
    ]
  )
})

test('a frame fits the terminal, and spare columns are hidden first', () => {
  for (const by of groupings) {
    for (const [width, height] of [
      [80, 24],
      [40, 8],
      [200, 6]
    ] as const) {
      for (const rows of [viewOf(by, 'time').rows, []]) {
        const lines = screen(viewOf(by, 'time', { width, height, rows }), 'q quit')
        assert.ok(lines.length <= height, `${lines.length} lines`)
        for (const line of lines) assert.ok(line.length <= width, `${line.length}: ${line}`)
      }
    }
  }
  assert.doesNotMatch(textOf(viewOf('process-call', 'time', { width: 90 })), /failed%/)
  assert.match(textOf(viewOf('process-call', 'bytes', { width: 90 })), /bytes/)
})

test('control characters in names never reach the terminal', () => {
  assert.ok(!textOf(viewOf('process', 'time')).includes('\u001b'))
})

test('the hosts line lists as many hosts as fit, those with the oldest watermark first', () => {
  const [figures] = viewOf('host', 'time').hosts
  assert.ok(figures !== undefined)
  const hosts = Array.from({ length: 50 }, (_, i) => ({ ...figures, host: `web-${i}`, watermarkMs: 2600 - i }))
  const [, line] = screen(viewOf('host', 'time', { hosts }), undefined)
  assert.match(line ?? '', /^hosts {3}web-49 .*, and 4\d more$/)
  assert.ok((line ?? '').length <= 120)
})

test('a silent host is marked, and so is a host whose edge ended in order', () => {
  const [figures] = viewOf('host', 'time').hosts
  assert.ok(figures !== undefined)
  const hosts = [
    { ...figures, lastMessageMs: 700 },
    { ...figures, host: 'z', lastMessageMs: 700, final: true }
  ]
  const [, line] = screen(viewOf('host', 'time', { hosts, silentBeforeMs: 1000 }), undefined)
  assert.equal(line, 'hosts   a silent, last message 2.0 s ago, z ended, last message 2.0 s ago')
})

test('an empty table gives the reason, and what to do', () => {
  const none = { hosts: [], rows: [], totals: { calls: 0, failed: 0, expected: 0 }, width: Number.POSITIVE_INFINITY }
  assert.match(textOf(viewOf('host', 'time', { ...none, isReading: true })), /^reading/)
  assert.match(textOf(viewOf('host', 'time', none)), /^no rollups arrived .*`ringside up`.*`ringside doctor`/)
  assert.match(textOf(viewOf('host', 'time', { rows: [], isFiltered: true })), /no rollup matches --host/)
  assert.match(textOf(viewOf('host', 'time', { rows: [], silentBeforeMs: 5000 })), /all hosts are silent/)
  assert.match(textOf(viewOf('host', 'time', { rows: [] })), /no window has closed yet/)
  assert.match(textOf(viewOf('go_function', 'time', { rows: [] })), /add "go_function" to the setting rollups\.by/)
})
