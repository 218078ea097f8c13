// The closing summary of `up`: its counts, and whether they agree with each other.

import { formatCount } from '../../runtime/format-number.ts'
import { formatDuration } from '../terminal/duration.ts'
import { formatTable } from '../terminal/table.ts'
import type { Counters } from './counter-sums.ts'

/** The counters of one service, summed over restarts; not complete: they may be too low. */
export interface ServiceCounts {
  readonly counters: Counters
  readonly complete: boolean
  readonly restarts: number
}

export interface RunCounts {
  readonly edge: ServiceCounts | undefined
  readonly consumers: Readonly<Record<string, ServiceCounts>>
  /** A legitimate cause for consumers to read more or fewer events than the edge published; undefined: none. */
  readonly otherTraffic: string | undefined
  readonly durationMs: number
}

export interface Summary {
  readonly duration_ms: number
  readonly seen: number
  readonly published: number
  /** Published from the spool, and seen by earlier runs. */
  readonly published_earlier: number
  /** Left in the spool for a later run. */
  readonly spooled: number
  readonly dropped: number
  /** Such as { network_ring_full: 3 }, without zeros. */
  readonly dropped_by: Readonly<Record<string, number>>
  readonly rollups: number
  readonly alerts: number
  readonly audit: number
  readonly deadletters: number
  /** Events read, by consumer. */
  readonly read: Readonly<Record<string, number>>
  readonly restarts: Readonly<Record<string, number>>
  /** Null: unknown, because a service died between two reports, or others publish to the same topics. */
  readonly agrees: boolean | null
  /** The counts that disagree or are unknown, with the reason. */
  readonly disagreements: readonly string[]
  /** Calls that the kernel counted. */
  readonly counted: number
}

const droppedPrefix = 'dropped_'

const sumOf = (services: Readonly<Record<string, ServiceCounts>>, counter: string): number =>
  Object.values(services).reduce((sum, service) => sum + (service.counters[counter] ?? 0), 0)

interface Judgement {
  readonly agrees: boolean | null
  readonly reason: string
}

const judgeEdge = (edge: ServiceCounts): Judgement | undefined => {
  const { seen = 0, published = 0, spooled = 0, dropped = 0, counted = 0 } = edge.counters
  if (seen === 0) {
    const also = counted > 0 ? ` and counted ${counted} calls` : ''
    return { agrees: null, reason: `the edge saw no event${also}: nothing to compare` }
  }
  if (seen === published + spooled + dropped) return undefined
  const reason = `the edge saw ${seen} events, but published ${published}, spooled ${spooled} and dropped ${dropped}`
  return edge.complete
    ? { agrees: false, reason }
    : { agrees: null, reason: `${reason}: it died before its final report` }
}

const judgeConsumer = (
  name: string,
  consumer: ServiceCounts,
  edge: ServiceCounts,
  otherTraffic: string | undefined
): Judgement | undefined => {
  const { events: read = 0, duplicates = 0 } = consumer.counters
  const published = (edge.counters['published'] ?? 0) + (edge.counters['published_earlier'] ?? 0)
  // An edge that takes over publishes duplicates, which the consumer does not count as read.
  if (read <= published && published <= read + duplicates) return undefined
  const reason = `${name} read ${read} events of ${published} published`
  if (!edge.complete) return { agrees: null, reason: `${reason}: the edge died before its final report` }
  if (!consumer.complete) return { agrees: null, reason: `${reason}: it died, and its count is unknown` }
  if (otherTraffic !== undefined) return { agrees: null, reason: `${reason}: ${otherTraffic}` }
  return { agrees: false, reason }
}

export const summarize = ({ edge, consumers, otherTraffic, durationMs }: RunCounts): Summary => {
  const judgements: Judgement[] = []
  if (edge !== undefined) {
    const services = Object.entries(consumers)
    for (const judgement of [
      judgeEdge(edge),
      ...services.map(([name, service]) => judgeConsumer(name, service, edge, otherTraffic))
    ]) {
      if (judgement !== undefined) judgements.push(judgement)
    }
  }
  const edgeCounters = edge?.counters ?? {}
  const all = { ...(edge === undefined ? {} : { edge }), ...consumers }
  return {
    duration_ms: Math.round(durationMs),
    seen: edgeCounters['seen'] ?? 0,
    published: edgeCounters['published'] ?? 0,
    published_earlier: edgeCounters['published_earlier'] ?? 0,
    spooled: edgeCounters['spooled'] ?? 0,
    dropped: edgeCounters['dropped'] ?? 0,
    dropped_by: Object.fromEntries(
      Object.entries(edgeCounters)
        .filter(([name, value]) => name.startsWith(droppedPrefix) && value > 0)
        .map(([name, value]) => [name.slice(droppedPrefix.length), value])
    ),
    rollups: sumOf(consumers, 'rollups'),
    alerts: sumOf(consumers, 'alerts'),
    audit: sumOf(consumers, 'audit'),
    deadletters: sumOf(consumers, 'deadletters'),
    read: Object.fromEntries(
      Object.entries(consumers).map(([name, service]) => [name, service.counters['events'] ?? 0])
    ),
    restarts: Object.fromEntries(Object.entries(all).map(([name, service]) => [name, service.restarts])),
    agrees: judgements.some(({ agrees }) => agrees === false) ? false : judgements.length === 0 ? true : null,
    disagreements: judgements.map(({ reason }) => reason),
    counted: edgeCounters['counted'] ?? 0
  }
}

const verdict = ({ agrees, disagreements }: Summary): string => {
  if (agrees === true) return 'yes'
  return `${agrees === false ? 'NO' : 'unknown'}: ${disagreements.join('; ')}`
}

const optional = (name: string, count: number): [string, string][] => (count > 0 ? [[name, formatCount(count)]] : [])

/** The summary as lines of a table. */
export const formatSummary = (summary: Summary): string[] => {
  const rows: [string, string][] = [
    ['events seen', formatCount(summary.seen)],
    ['published', formatCount(summary.published)],
    ...optional('published from earlier runs', summary.published_earlier),
    ...optional('spooled for a later run', summary.spooled),
    ...optional('calls counted', summary.counted),
    ['dropped', formatCount(summary.dropped)],
    ...Object.entries(summary.dropped_by).map(([by, count]): [string, string] => [
      `  ${by.replace('_', ', ').replaceAll('_', ' ')}`,
      formatCount(count)
    ]),
    ...Object.entries(summary.read).map(([name, count]): [string, string] => [`read by ${name}`, formatCount(count)]),
    ['rollups', formatCount(summary.rollups)],
    ['alerts', formatCount(summary.alerts)],
    ['audit rows', formatCount(summary.audit)],
    ['dead letters', formatCount(summary.deadletters)],
    ...Object.entries(summary.restarts)
      .filter(([, count]) => count > 0)
      .map(([name, count]): [string, string] => [`restarts of ${name}`, formatCount(count)])
  ]
  const table = formatTable(
    [{ title: 'summary' }, { title: formatDuration(summary.duration_ms), align: 'right' }],
    rows
  )
  return [...table, `counts agree: ${verdict(summary)}`]
}
