// Reports of a reconciliation → lines for a terminal: a row for each host and boot, the ledger by class, findings.
import { formatCount } from '../../runtime/format-number.ts'
import { printable } from '../../runtime/printable.ts'
import type { ClassReport, HostReport } from '../../verify/host-report.ts'
import { formatTable } from '../terminal/table.ts'

const right = { align: 'right' } as const

const hostColumns = [
  { title: 'host', flexible: true },
  { title: 'boot' },
  { title: 'runs', ...right },
  { title: 'batches', ...right },
  { title: 'seqs', ...right },
  { title: 'events', ...right },
  { title: 'summaries', ...right },
  { title: 'dropped', ...right },
  { title: 'duplicates', ...right },
  { title: 'verdict' }
]

const hostCells = (report: HostReport): string[] => [
  report.host,
  report.boot?.slice(0, 8) ?? '',
  ...[report.runs, report.batches, report.accounted, report.events, report.summaries].map(formatCount),
  ...[report.dropped, report.duplicates].map(formatCount),
  report.agrees === null ? 'not judged' : report.agrees ? 'agrees' : 'DISAGREES'
]

const classColumns = [
  { title: 'class' },
  { title: 'seen', ...right },
  { title: 'off', ...right },
  { title: 'counted', ...right },
  { title: 'emitted', ...right },
  { title: 'dropped', ...right },
  { title: 'in the topic', ...right },
  { title: 'in summaries', ...right }
]

const classCells = (row: ClassReport): string[] => [
  row.class,
  ...[row.off + row.counted + row.emitted + row.dropped, row.off, row.counted, row.emitted, row.dropped].map(
    formatCount
  ),
  ...[row.events, row.summarised].map(formatCount)
]

/** Sums over hosts. */
const sumClasses = (reports: readonly HostReport[]): ClassReport[] => {
  const sums = new Map<string, ClassReport>()
  for (const row of reports.flatMap(({ classes }) => classes)) {
    const sum = sums.get(row.class)
    const added = { ...row }
    if (sum !== undefined) {
      for (const name of ['off', 'counted', 'emitted', 'dropped', 'events', 'summarised'] as const) {
        added[name] += sum[name]
      }
    }
    sums.set(row.class, added)
  }
  return [...sums.values()]
}

const remarks = ({ host, boot, partial, unfinished, findings }: HostReport): string[] => {
  const name = boot === null ? host : `${host} ${boot.slice(0, 8)}`
  return [
    ...(partial > 0
      ? [`${name}: ${partial} run chain(s) began before the first batch read: their ledgers are not compared`]
      : []),
    ...unfinished.map(
      ({ run, batch, until, pending }) =>
        `${name}: run ${run} is still going: verified up to batch ${batch} (${until}), ` +
        `${formatCount(pending)} sequence numbers pending`
    ),
    ...findings.map(({ kind, text }) => `${name}: ${kind}: ${text}`)
  ]
}

/** @param width columns of the terminal; Infinity where there is none */
export const formatReports = (reports: readonly HostReport[], width: number): string[] => [
  ...formatTable(hostColumns, reports.map(hostCells), width),
  '',
  ...formatTable(classColumns, sumClasses(reports).map(classCells), width),
  ...(reports.some((report) => remarks(report).length > 0) ? [''] : []),
  ...reports.flatMap(remarks).map((text) => printable(text))
]
