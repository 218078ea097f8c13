// A live table of system calls, from the topics rollups and hosts.
import { Command } from 'commander'
import type { Config } from '../../runtime/config.ts'
import { messageOf } from '../../runtime/errors.ts'
import type { KafkaClient, ReceivedMessage } from '../../wire/client.ts'
import { decode } from '../../wire/codec.ts'
import { describeUnreadable } from '../../wire/describe-unreadable.ts'
import { rollupRow } from '../../wire/row.ts'
import { topicName } from '../../wire/topics.ts'
import type { Rollup } from '../../wire/types.ts'
import { connect } from '../connect.ts'
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
import { compileRowFilter } from '../rows/row-filter.ts'
import { rowReaders } from '../rows/row-readers.ts'
import { interrupted } from '../terminal/interrupted.ts'
import { Output } from '../terminal/output.ts'
import { quietLog, remark } from '../terminal/quiet-log.ts'
import { RecentRollups } from '../top/recent.ts'
import { Refresh } from '../top/refresh.ts'
import { type Grouping, groupingRules, groupings, type Sorting, sortings, topRows, totals } from '../top/rows.ts'
import { screen, type View } from '../top/screen.ts'
import { Terminal } from '../top/terminal.ts'

interface TopOptions extends CommonOptions {
  readonly by: Grouping
  readonly sort: Sorting
  readonly window?: number
  readonly workload?: string
  readonly where?: string
  readonly max?: number
  readonly once?: true
  readonly format?: Format
}

const defaultSpanMs = 10_000
/** A window's rollup is published this long after its end at most, typically within a second. */
const publishDelayMs = 15_000

/** The existing messages are read within this time. */
const readingMs = 3000

const keys: Readonly<Record<string, Sorting>> = { c: 'calls', f: 'failed', m: 'p50', p: 'p99', t: 'time', y: 'bytes' }
const footer = 'q quit   b grouping   sort: c calls, f failed, m p50, p p99, t time, y bytes'

const help = `
Grouping by process sums the rollups by process, grouping by Go function those by Go function, all others those by
workload. Percentiles are within 1.6%, for any number of merged rollups. --where takes the fields of \`ringside tail
rollups --format json\`. Keys of the live table: ${footer.replace(/ {3}/g, '; ')}.

Examples:
  ringside top
  ringside top --by call --sort p99 --once
  ringside top --by workload --where 'syscall == "connect"'
`

/** The filter of --host, --workload and --where. */
const filterOf = ({ host, workload, where }: TopOptions): ((rollup: Rollup) => boolean) => {
  const filter = where === undefined ? undefined : compileRowFilter(where, rowReaders.rollups.fields)
  return (rollup) =>
    (host === undefined || rollup.host === host) &&
    (workload === undefined || rollup.workload === workload || rollup.container_id?.startsWith(workload) === true) &&
    (filter?.matches(rollupRow(rollup)) ?? true)
}

/** Reads both topics until the signal; with --once, to their ends. */
const readInto = async (
  recent: RecentRollups,
  client: KafkaClient,
  config: Config,
  options: TopOptions,
  spanMs: number,
  onMessage: () => void,
  signal: AbortSignal
): Promise<void> => {
  const matches = filterOf(options)
  const add = ({ value, timestampMs }: ReceivedMessage, topic: 'rollups' | 'hosts'): void => {
    if (value === null) return
    if (topic === 'rollups') {
      const rollup = decode('Rollup', value)
      if (matches(rollup)) recent.add(rollup, timestampMs)
    } else {
      const status = decode('HostStatus', value)
      if (options.host === undefined || status.host === options.host) recent.addStatus(status, timestampMs)
    }
  }
  let unreadable = 0
  const skip = (why: string): void => {
    unreadable++
    if (unreadable === 1 && options.once) remark(why)
  }
  const read = (topic: 'rollups' | 'hosts'): Promise<void> =>
    client.read(
      {
        topic: topicName(config, topic),
        sinceMs: Date.now() - spanMs - publishDelayMs,
        untilEnd: options.once === true,
        onMessage: (message) => {
          try {
            add(message, topic)
            onMessage()
          } catch (error) {
            skip(`offset ${message.offset} of ${topic} is skipped: ${messageOf(error)}`)
          }
          return undefined
        },
        onUnreadable: (batch) => skip(`${topic}: ${describeUnreadable(batch)}`)
      },
      signal
    )
  await Promise.all([read('rollups'), read('hosts')])
}

const top = async (options: TopOptions): Promise<void> => {
  const config = configFrom(options)
  const spanMs = options.window ?? defaultSpanMs
  // A batch carries the time that makes a partial result due: half a batch later, on average.
  const partialAfterMs = config.rollups.partialAfterMs + config.edge.batchMs / 2
  const recent = new RecentRollups({ spanMs, partialAfterMs })
  const client = await connect(config, 'top', quietLog('top'))
  const output = new Output()
  const asJson = chosenFormat(options.format, process.stdout) === 'json'
  const isLive = options.once !== true && output.isTerminal && !asJson
  const ended = new AbortController()
  const signal = AbortSignal.any([output.closed, interrupted(), ended.signal])
  const refresh = new Refresh(isLive, signal)
  const terminal = new Terminal(output)
  const startedMs = Date.now()
  let { by, sort } = options

  const view = (): View => {
    const nowMs = Date.now()
    const silentBeforeMs = nowMs - spanMs - publishDelayMs
    const parts = recent.parts(groupingRules[by].of, silentBeforeMs)
    const rows = topRows(parts, by, sort).slice(0, options.max)
    const isFiltered = [options.host, options.workload, options.where].some((filter) => filter !== undefined)
    const hosts = recent.hosts()
    const isReading = isLive && hosts.length === 0 && nowMs - startedMs < readingMs
    return {
      isReading,
      by,
      sort,
      spanMs,
      nowMs,
      silentBeforeMs,
      hosts,
      totals: totals(parts),
      rows,
      isFiltered,
      width: output.width,
      height: output.height
    }
  }
  const show = async (): Promise<void> => {
    const shown = view()
    if (isLive) return terminal.frame(screen(shown, footer))
    if (!asJson) return output.line(screen(shown, undefined).join('\n'))
    const newestMs = Math.max(0, ...shown.hosts.map(({ watermarkMs }) => watermarkMs))
    const time = newestMs > 0 ? new Date(newestMs).toISOString() : null
    await output.json(...shown.rows.map((row) => ({ time, ...row })))
  }
  const onKey = (key: string): void => {
    if (key === 'q') ended.abort()
    const step = key === 'b' ? 1 : key === 'B' ? -1 : 0
    by = groupings.at((groupings.indexOf(by) + step) % groupings.length) as Grouping
    sort = keys[key] ?? sort
    refresh.now()
  }
  const read = () => readInto(recent, client, config, options, spanMs, () => refresh.soon(), signal)

  if (options.once === true) {
    await read()
    return show()
  }
  if (isLive) terminal.open(onKey, () => refresh.now())
  signal.addEventListener('abort', terminal.close)
  try {
    await Promise.all([read(), refresh.run(show)])
  } finally {
    ended.abort()
    terminal.close()
  }
}

export const topCommand = (): Command =>
  addCommonOptions(
    new Command('top')
      .description(
        'Show a live table of system calls: calls and failed calls per second, latency, share of the time of all calls.'
      )
      .option('--by <grouping>', `one row for each ${groupings.join(', ')}`, choiceArgument(groupings), 'process-call')
      .option('--sort <column>', `descending by ${sortings.join(', ')}`, choiceArgument(sortings), 'time')
      .option('--window <duration>', 'length of time that the table covers (default: 10s)', durationArgument)
      .option('--host <name>', 'only this host')
      .option('--workload <name>', 'only this executable path, or container (id or its first characters)')
      .option('--where <cel>', 'only rollups that match this CEL condition')
      .option('--max <n>', 'print at most this many rows', integerArgument(1))
      .option('--once', 'print one table and exit')
      .option('--format <format>', 'table or json (default: table on a terminal)', formatArgument)
  )
    .addHelpText('after', help)
    .action(top)
