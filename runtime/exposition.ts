// Metric families in, the text of one scrape out: OpenMetrics 1.0 with units and exemplars, or the Prometheus text format
// 0.0.4. Both have the same series.
import { createHash } from 'node:crypto'
import type { Exemplar, HistogramFamily, MetricFamily, ScalarFamily } from './metric-family.ts'
import { printable } from './printable.ts'

export type Format = 'openmetrics' | 'text'

export const contentTypes: Readonly<Record<Format, string>> = {
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  text: 'text/plain; version=0.0.4; charset=utf-8'
}

/** Base units of Prometheus that end names of our families. */
const unitPattern = /_(seconds|bytes|ratio)$/

/**
 * The format that an Accept header prefers: text unless OpenMetrics 1.0 has at least the same weight.
 * @see RFC 9110, 12.5.1
 */
export const formatFor = (accept = ''): Format => {
  const wanted = { openmetrics: 0, text: 0 }
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const parameter = (name: string) => parameters.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1)
    const weight = Number(parameter('q') ?? 1) || 0
    const isOpen = type === 'application/openmetrics-text' && (parameter('version') ?? '1.0.0') === '1.0.0'
    if (isOpen) wanted.openmetrics = Math.max(wanted.openmetrics, weight)
    else if (['text/plain', 'text/*', '*/*'].includes(type)) wanted.text = Math.max(wanted.text, weight)
  }
  return wanted.openmetrics > 0 && wanted.openmetrics >= wanted.text ? 'openmetrics' : 'text'
}

const special: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '"': '\\"' }
const escaped = (text: string): string => text.replace(/[\\\n"]/g, (character) => special[character] as string)
/** The text format does not escape quotes in help. */
const escapedHelp = (text: string, format: Format): string =>
  format === 'openmetrics' ? escaped(text) : text.replace(/[\\\n]/g, (character) => special[character] as string)

const numberText = (value: number): string => {
  if (Number.isFinite(value)) return String(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
}

/** A bound as Go prints it, 1.024e-06, so that it is the same series as from a Go client. OpenMetrics requires 1.0 for 1. */
const boundText = (bound: number, format: Format): string => {
  if (!Number.isFinite(bound)) return numberText(bound)
  if (bound !== 0 && Math.abs(bound) < 1e-4) {
    return bound.toExponential().replace(/e([+-])(\d)$/, (_, sign: string, digit: string) => `e${sign}0${digit}`)
  }
  return format === 'openmetrics' && Number.isInteger(bound) ? bound.toFixed(1) : String(bound)
}

/** Far more than any name but a long path. */
const maxLabelLength = 512

/**
 * A printable value. Different values stay different, as a scrape with the same series twice is invalid: a backslash is
 * escaped, too, and a digest replaces the end of a long value.
 */
const labelValue = (value: string): string => {
  const text = printable(value.replaceAll('\\', '\\x5c'), Number.POSITIVE_INFINITY)
  if (text.length <= maxLabelLength) return text
  return `${printable(text, maxLabelLength)}${createHash('sha256').update(value).digest('hex').slice(0, 16)}`
}

const labelsText = (labels: Readonly<Record<string, string>>): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(labelValue(value))}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const exemplarText = ({ labels, value, timeSeconds }: Exemplar): string =>
  ` # ${labelsText(labels) || '{}'} ${numberText(value)} ${timeSeconds.toFixed(3)}`

function* scalarLines({ name, kind, samples }: ScalarFamily, common: Readonly<Record<string, string>>) {
  for (const sample of samples()) {
    // A counter that cannot be read, for lack of privileges, is not exposed.
    if (kind === 'counter' && !(sample.value >= 0)) continue
    yield `${name}${labelsText({ ...sample.labels, ...common })} ${numberText(sample.value)}`
  }
}

function* histogramLines(
  { name, bounds, samples }: HistogramFamily,
  common: Readonly<Record<string, string>>,
  format: Format
) {
  const limits = [...bounds, Number.POSITIVE_INFINITY].map((bound) => boundText(bound, format))
  for (const { labels, buckets, sum, exemplars } of samples()) {
    const all = { ...labels, ...common }
    const inner = labelsText(all).slice(1, -1)
    let count = 0
    for (const [i, limit] of limits.entries()) {
      count += buckets[i] ?? 0
      const exemplar = format === 'openmetrics' ? exemplars?.[i] : undefined
      const tail = exemplar === undefined ? '' : exemplarText(exemplar)
      yield `${name}_bucket{${inner === '' ? '' : `${inner},`}le="${limit}"} ${count}${tail}`
    }
    yield `${name}_sum${labelsText(all)} ${numberText(sum)}`
    yield `${name}_count${labelsText(all)} ${count}`
  }
}

/**
 * @param common labels of every sample
 */
export const exposition = (
  families: Iterable<MetricFamily>,
  common: Readonly<Record<string, string>>,
  format: Format
): string => {
  const lines: string[] = []
  for (const family of families) {
    const { name, help, kind } = family
    const base = format === 'openmetrics' && kind === 'counter' ? name.replace(/_total$/, '') : name
    lines.push(`# HELP ${base} ${escapedHelp(help, format)}`, `# TYPE ${base} ${kind}`)
    const unit = unitPattern.exec(base)?.[1]
    if (format === 'openmetrics' && unit !== undefined) lines.push(`# UNIT ${base} ${unit}`)
    const samples = family.kind === 'histogram' ? histogramLines(family, common, format) : scalarLines(family, common)
    for (const line of samples) lines.push(line)
  }
  if (format === 'openmetrics') lines.push('# EOF')
  return `${lines.join('\n')}\n`
}
