// Prints rows of a topic, existing or new ones.
import { Argument, Command } from 'commander'
import { messageOf } from '../../runtime/errors.ts'
import type { ReceivedMessage } from '../../wire/client.ts'
import { describeUnreadable } from '../../wire/describe-unreadable.ts'
import { topicName } from '../../wire/topics.ts'
import { connect } from '../connect.ts'
import {
  addCommonOptions,
  type CommonOptions,
  chosenFormat,
  configFrom,
  type Format,
  formatArgument,
  integerArgument,
  sinceArgument
} from '../options.ts'
import { compileRowFilter, type Row } from '../rows/row-filter.ts'
import { type RowTopicName, rowReaders, rowTopicNames } from '../rows/row-readers.ts'
import { interrupted } from '../terminal/interrupted.ts'
import { Output } from '../terminal/output.ts'
import { Progress, readProgress } from '../terminal/progress.ts'
import { quietLog, remark } from '../terminal/quiet-log.ts'
import { TableLayout } from '../terminal/table.ts'

interface TailOptions extends Omit<CommonOptions, 'host'> {
  readonly host?: string
  readonly since?: number
  readonly max?: number
  readonly follow?: true
  readonly where?: string
  readonly format?: Format
}

const help = `
Without --since it prints new rows until it is stopped. With --since it prints the existing rows and ends, unless
--follow is given. --where takes the fields of --format json; a row that the condition cannot be evaluated for, such as
path.startsWith("/") with a null path, does not match. Counted calls are no events: \`tail rollups\` and \`top\` include
them. \`tail hosts\` has emitted, counted and dropped events of each host, second by second.

Examples:
  ringside tail events --since 1m --where 'syscall == "connect" && errno != null'
  ringside tail audit --follow --format json | jq .path
  ringside tail audit --since 1d --host web-1
  ringside tail alerts --since 1d
`

/** Topics whose messages have the host as their key. */
const isKeyedByHost = (name: RowTopicName): boolean => name === 'events' || name === 'hosts' || name === 'audit'

const tail = async (name: RowTopicName, { host, ...options }: TailOptions): Promise<void> => {
  const reader = rowReaders[name]
  const filter = options.where === undefined ? undefined : compileRowFilter(options.where, reader.fields)
  const config = configFrom(options)
  const log = quietLog('tail')
  const client = await connect(config, 'tail', log)

  const output = new Output()
  const asJson = chosenFormat(options.format, process.stdout) === 'json'
  let layout: TableLayout | undefined
  const max = options.max ?? Number.POSITIVE_INFINITY
  const progress = new Progress()
  const key = isKeyedByHost(name) ? host : undefined
  let shown = 0
  let unreadable = 0

  const skip = (why: string): void => {
    unreadable += 1
    if (unreadable === 1) remark(why)
  }
  const rowsOf = (message: ReceivedMessage): object[] => {
    if (message.value === null || (key !== undefined && String(message.key) !== key)) return []
    try {
      return reader.rowsOf(message.value)
    } catch (error) {
      skip(`offset ${message.offset} is skipped: ${messageOf(error)}`)
      return []
    }
  }
  const onMessage = async (message: ReceivedMessage): Promise<boolean> => {
    const matching = (rowsOf(message) as Row[]).filter(
      (row) => (host === undefined || row['host'] === host) && (filter?.matches(row) ?? true)
    )
    // Another partition's message may have reached the limit.
    const rows = matching.slice(0, max - shown)
    shown += rows.length
    if (rows.length > 0) progress.clear()
    if (rows.length > 0) await (asJson ? output.json(...rows) : output.line(linesOf(rows).join('\n')))
    return shown < max
  }
  const linesOf = (rows: readonly object[]): string[] => {
    const cells = rows.map((row) => reader.cells(row))
    const header = layout === undefined
    // The terminal wraps long lines.
    layout ??= new TableLayout(reader.columns, cells, Number.POSITIVE_INFINITY)
    const lines = cells.map((row) => layout?.line(row) ?? '')
    return header ? [layout.header(), ...lines] : lines
  }

  await client.read(
    {
      topic: topicName(config, name),
      sinceMs: options.since,
      untilEnd: options.since !== undefined && options.follow !== true,
      key,
      onProgress: readProgress(progress, `of ${name} read`),
      onMessage,
      onUnreadable: (batch, partition) => skip(`partition ${partition}: ${describeUnreadable(batch)}`)
    },
    AbortSignal.any([output.closed, interrupted()])
  )
  progress.clear()
  if (!asJson && layout === undefined) {
    await output.line(new TableLayout(reader.columns, [], Number.POSITIVE_INFINITY).header())
  }
  if (unreadable > 1) remark(`${unreadable} unreadable messages or record batches were skipped`)
  if (filter !== undefined && filter.unevaluated > 0 && shown === 0) {
    remark(`--where could not be evaluated for ${filter.unevaluated} row(s): ${filter.firstProblem}`)
  }
}

export const tailCommand = (): Command =>
  addCommonOptions(
    new Command('tail')
      .description('Print rows of a topic: new ones, or with --since existing ones.')
      .addArgument(new Argument('<topic>', 'topic, without its prefix').choices([...rowTopicNames]))
      .option(
        '--since <when>',
        'existing rows from this long ago (30s, 5m, 2h, 1d) or this ISO time on, by Kafka timestamp',
        sinceArgument
      )
      .option(
        '--host <name>',
        'only rows of this host; of events, hosts and audit it reads only the partition of the host'
      )
      .option('--max <n>', 'stop after this many rows', integerArgument(1))
      .option('--follow', 'continue with new rows; the default without --since')
      .option('--where <cel>', 'only rows that match this CEL condition')
      .option('--format <format>', 'table or json (default: table on a terminal)', formatArgument)
  )
    .addHelpText('after', help)
    .action(tail)
