// A live table of what the hosts' system calls cost, from the rollups topic.
import { Command } from 'commander'
import { RingsideError } from '../../runtime/errors.ts'
import { formatNanoseconds, formatRate, formatShare } from '../../runtime/format-number.ts'
import { decode } from '../../wire/codec.ts'
import { topicName } from '../../wire/topics.ts'
import { connect } from '../connect.ts'
import { formatSpan } from '../duration.ts'
import { interrupted } from '../interrupted.ts'
import {
  addCommonOptions,
  type CommonOptions,
  choiceArgument,
  chosenFormat,
  configFrom,
  durationArgument,
  type Format,
  formatArgument,
  integerArgument
} from '../options.ts'
import { Output } from '../output.ts'
import { quietLog } from '../quiet-log.ts'
import { type Column, formatTable } from '../table.ts'
import { type Grouping, groupings, RecentRollups, type Sorting, sortings, type TopRow, topRows } from '../top-table.ts'

interface TopOptions extends CommonOptions {
  readonly by: Grouping
  readonly sort: Sorting
  readonly window?: number
  readonly max?: number
  readonly once?: true
  readonly format?: Format
}

const refreshMs = 1000
const defaultSpanMs = 10_000
/** A window's rollup is published this long after its end at most, typically within a second. */
const publishDelayMs = 15_000

const columns: readonly Column[] = [
  { title: 'host', flexible: true },
  { title: 'pid', align: 'right', minWidth: 7 },
  { title: 'comm', minWidth: 15, flexible: true },
  { title: 'call', minWidth: 9 },
  { title: 'calls/s', align: 'right', minWidth: 7 },
  { title: 'errors/s', align: 'right', minWidth: 8 },
  { title: 'p50', align: 'right', minWidth: 6 },
  { title: 'p99', align: 'right', minWidth: 6 },
  { title: 'time', align: 'right', minWidth: 6 }
]

const cells = (row: TopRow): string[] => [
  row.host,
  row.pid === null ? '*' : String(row.pid),
  row.comm ?? '*',
  row.syscall ?? '*',
  formatRate(row.calls_per_second),
  formatRate(row.errors_per_second),
  formatNanoseconds(row.p50_ns),
  formatNanoseconds(row.p99_ns),
  formatShare(row.time_share, 1)
]

/** The shortest kind of window: the table then moves every second, not every ten. */
const windowFor = (windowsMs: readonly number[], spanMs: number): number => {
  const fitting = windowsMs.filter((windowMs) => spanMs % windowMs === 0)
  if (fitting.length > 0) return Math.min(...fitting)
  const lengths = windowsMs.map((windowMs) => formatSpan(windowMs)).join(', ')
  throw new RingsideError('USAGE', `--window ${formatSpan(spanMs)} is not a multiple of a rollup's window (${lengths})`)
}

const top = async (options: TopOptions): Promise<void> => {
  const config = configFrom(options)
  const spanMs = options.window ?? defaultSpanMs
  const client = await connect(config, 'top', quietLog('top'))
  const recent = new RecentRollups(windowFor(config.rollups.windowsMs, spanMs), spanMs)
  const output = new Output()
  const format = chosenFormat(options.format, process.stdout)

  const show = async (): Promise<void> => {
    const rows = topRows(recent.current(), spanMs, options.by, options.sort).slice(0, options.max)
    const end = recent.endUs === 0 ? null : new Date(recent.endUs / 1000).toISOString()
    if (format === 'json') {
      for (const row of rows) await output.line(JSON.stringify({ time: end, ...row }))
      return
    }
    const ageMs = Date.now() - recent.endUs / 1000
    const title =
      end === null
        ? `no rollups came in the last ${formatSpan(spanMs + publishDelayMs)}`
        : `${formatSpan(spanMs)} to ${end} (${formatSpan(ageMs)} ago)`
    const lines = [title, ...formatTable(columns, rows.map(cells), output.width)]
    if (options.once === true || !output.isTerminal) await output.line(lines.join('\n'))
    // Home, each line cleared to its end, then everything below: no flicker.
    else await output.write(`\u001b[H${lines.slice(0, output.height - 1).join('\u001b[K\n')}\u001b[K\n\u001b[J`)
  }

  const signal = AbortSignal.any([output.closed, interrupted()])
  if (options.once !== true && output.isTerminal && format === 'table') await output.write('\u001b[2J')
  const timer = options.once === true ? undefined : setInterval(show, refreshMs)
  try {
    await client.read(
      {
        topic: topicName(config, 'rollups'),
        sinceMs: Date.now() - spanMs - publishDelayMs,
        untilEnd: options.once === true,
        onMessage: (message) => {
          if (message.value !== null) recent.add(decode('Rollup', message.value))
          return undefined
        }
      },
      signal
    )
  } finally {
    clearInterval(timer)
  }
  if (options.once === true) await show()
}

export const topCommand = (): Command =>
  addCommonOptions(
    new Command('top')
      .description('Live table of system calls: calls and errors a second, latency, share of the time of all calls.')
      .option('--by <what>', `a row for each ${groupings.join(', ')}`, choiceArgument(groupings), 'process-call')
      .option('--sort <by>', `largest first by ${sortings.join(', ')}`, choiceArgument(sortings), 'time')
      .option('--window <span>', 'how far back it looks (default: 10s)', durationArgument)
      .option('--max <n>', 'so many rows at most', integerArgument(1))
      .option('--once', 'print one table and end')
      .option('--format <format>', 'table or json (default: table on a terminal)', formatArgument)
  )
    .addHelpText(
      'after',
      '\nPercentiles of a row that merges several rollups are estimates between theirs.\n\nExample:\n  ringside top --by call --sort p99 --once\n'
    )
    .action(top)
