import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatSummary, type RunCounts, type ServiceCounts, summarize } from '../../../cli/up/summary.ts'

const serviceCounts = (counters: Record<string, number>, over: Partial<ServiceCounts> = {}): ServiceCounts => ({
  counters,
  complete: true,
  restarts: 0,
  ...over
})

const runCounts = (over: Partial<RunCounts> = {}): RunCounts => ({
  edge: serviceCounts({ seen: 100, published: 97, dropped: 3, dropped_file_ring_full: 3, dropped_io_ring_full: 0 }),
  consumers: {
    rollups: serviceCounts({ events: 97, rollups: 12 }),
    alerts: serviceCounts({ events: 97, alerts: 1 }),
    audit: serviceCounts({ events: 97, audit: 40, deadletters: 2 })
  },
  otherTraffic: undefined,
  durationMs: 30_123.4,
  ...over
})

test('a run in which every count agrees', () => {
  assert.deepEqual(summarize(runCounts()), {
    duration_ms: 30_123,
    seen: 100,
    published: 97,
    published_earlier: 0,
    spooled: 0,
    dropped: 3,
    dropped_by: { file_ring_full: 3 },
    rollups: 12,
    alerts: 1,
    audit: 40,
    deadletters: 2,
    read: { rollups: 97, alerts: 97, audit: 97 },
    restarts: { edge: 0, rollups: 0, alerts: 0, audit: 0 },
    agrees: true,
    disagreements: [],
    counted: 0
  })
})

test('an event that is neither published nor dropped is a disagreement', () => {
  const summary = summarize(runCounts({ edge: serviceCounts({ seen: 101, published: 97, dropped: 3 }) }))
  assert.equal(summary.agrees, false)
  assert.deepEqual(summary.disagreements, ['the edge saw 101 events, but published 97, spooled 0 and dropped 3'])
})

test('spooled events are neither published nor dropped, and the counts agree', () => {
  const edge = serviceCounts({ seen: 100, published: 90, spooled: 7, dropped: 3 })
  const consumers = { audit: serviceCounts({ events: 90 }) }
  const summary = summarize(runCounts({ edge, consumers }))
  assert.deepEqual([summary.agrees, summary.spooled], [true, 7])
  assert.match(formatSummary(summary).join('\n'), /spooled for a later run +7/)
})

test('consumers read the spooled events of earlier runs, which this run has not seen', () => {
  const edge = serviceCounts({ seen: 97, published: 97, published_earlier: 40 })
  const consumers = { audit: serviceCounts({ events: 137 }) }
  const summary = summarize(runCounts({ edge, consumers }))
  assert.deepEqual([summary.agrees, summary.published_earlier], [true, 40])
  assert.equal(summarize(runCounts({ edge, consumers: { audit: serviceCounts({ events: 97 }) } })).agrees, false)
})

test('a consumer that read fewer events than the edge published is a disagreement', () => {
  const consumers = { ...runCounts().consumers, audit: serviceCounts({ events: 96 }) }
  assert.equal(summarize(runCounts({ consumers })).agrees, false)
})

test('duplicates of an edge that took over are no disagreement', () => {
  const read = (counters: Record<string, number>) =>
    summarize(runCounts({ consumers: { audit: serviceCounts(counters) } })).agrees
  assert.equal(read({ events: 90, duplicates: 7 }), true)
  assert.equal(read({ events: 97, duplicates: 20 }), true)
  assert.equal(read({ events: 90, duplicates: 6 }), false)
  assert.equal(read({ events: 98, duplicates: 20 }), false)
})

test('counts of a killed service are unknown: neither agreement nor disagreement', () => {
  const consumers = {
    ...runCounts().consumers,
    audit: serviceCounts({ events: 120 }, { complete: false, restarts: 1 })
  }
  const summary = summarize(runCounts({ consumers }))
  assert.equal(summary.agrees, null)
  assert.match(summary.disagreements.join(), /audit read 120 events of 97 published: it died/)
})

test('events of other edges on the same topics are no disagreement', () => {
  const consumers = { rollups: serviceCounts({ events: 500 }) }
  const summary = summarize(runCounts({ consumers, otherTraffic: 'others may publish' }))
  assert.equal(summary.agrees, null)
  assert.match(summary.disagreements.join(), /others may publish/)
})

test('an edge without events has nothing to compare', () => {
  const consumers = { audit: serviceCounts({ events: 0 }) }
  const summary = summarize(
    runCounts({ edge: serviceCounts({ seen: 0, published: 0, dropped: 0, counted: 12 }), consumers })
  )
  assert.equal(summary.agrees, null)
  const text = formatSummary(summary).join('\n')
  assert.match(text, /counts agree: unknown: the edge saw no event and counted 12 calls: nothing to compare/)
  assert.match(text, /calls counted +12/)
})

test('without an edge the counts agree', () => {
  const summary = summarize(runCounts({ edge: undefined }))
  assert.equal(summary.agrees, true)
  assert.equal(summary.seen, 0)
})

test('the table has drops by class and restarts only when there are any', () => {
  const text = formatSummary(summarize(runCounts())).join('\n')
  assert.match(text, /file, ring full +3/)
  assert.doesNotMatch(text, /restarts/)
  assert.match(text, /counts agree: yes/)
  const consumers = { ...runCounts().consumers, audit: serviceCounts({ events: 97 }, { restarts: 2 }) }
  assert.match(formatSummary(summarize(runCounts({ consumers }))).join('\n'), /restarts of audit +2/)
})
