// Rows of a topic to stdout, as they come or as they are.
import { Argument, Command } from 'commander'
import { messageOf } from '../../runtime/errors.ts'
import type { ReceivedMessage } from '../../wire/client.ts'
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
import { compileRowFilter } from '../rows/row-filter.ts'
import { type RowTopicName, rowReaders, rowTopicNames } from '../rows/row-readers.ts'
import { interrupted } from '../terminal/interrupted.ts'
import { Output } from '../terminal/output.ts'
import { quietLog, remark } from '../terminal/quiet-log.ts'
import { TableLayout } from '../terminal/table.ts'

interface TailOptions extends CommonOptions {
  readonly since?: number
  readonly max?: number
  readonly follow?: true
  readonly where?: string
  readonly format?: Format
}

const help = `
Fields that --where may use are those of --format json. A row for which the expression has no value
(path.startsWith("/") where path is null) is left out. Calls that the edge counts are
no events: \`tail rollups\` and \`top\` show them beside the others. \`tail hosts\` says how the stream
of each host was doing, second by second.

Examples:
  ringside tail events --since 1m --where 'syscall == "connect" && errno != null'
  ringside tail audit --follow --format json | jq .path
  ringside tail alerts --since 1d
`

const tail = async (name: RowTopicName, options: TailOptions): Promise<void> => {
  const reader = rowReaders[name]
  const filter = options.where === undefined ? undefined : compileRowFilter(options.where, reader.fields)
  const config = configFrom(options)
  const log = quietLog('tail')
  const client = await connect(config, 'tail', log)

  const output = new Output()
  const asJson = chosenFormat(options.format, process.stdout) === 'json'
  let layout: TableLayout | undefined
  const max = options.max ?? Number.POSITIVE_INFINITY
  let shown = 0
  let unreadable = 0

  const rowsOf = (message: ReceivedMessage): object[] => {
    if (message.value === null) return []
    try {
      return reader.rowsOf(message.value)
    } catch (error) {
      unreadable += 1
      if (unreadable === 1) remark(`offset ${message.offset} is left out: ${messageOf(error)}`)
      return []
    }
  }
  const onMessage = async (message: ReceivedMessage): Promise<boolean> => {
    const wanted = rowsOf(message).filter((row) => filter?.matches(row as Record<string, unknown>) ?? true)
    // Another partition's message may have made it full.
    const rows = wanted.slice(0, max - shown)
    shown += rows.length
    if (rows.length > 0) await output.line(linesOf(rows).join('\n'))
    return shown < max
  }
  const linesOf = (rows: readonly object[]): string[] => {
    if (asJson) return rows.map((row) => JSON.stringify(row))
    const cells = rows.map((row) => reader.cells(row))
    const header = layout === undefined
    // Nothing is cut for the width: a line that is too long goes on in the terminal's next.
    layout ??= new TableLayout(reader.columns, cells, Number.POSITIVE_INFINITY)
    const lines = cells.map((row) => layout?.line(row) ?? '')
    return header ? [layout.header(), ...lines] : lines
  }

  await client.read(
    {
      topic: topicName(config, name),
      sinceMs: options.since,
      untilEnd: options.since !== undefined && options.follow !== true,
      onMessage
    },
    AbortSignal.any([output.closed, interrupted()])
  )
  if (!asJson && layout === undefined) {
    await output.line(new TableLayout(reader.columns, [], Number.POSITIVE_INFINITY).header())
  }
  if (unreadable > 1) remark(`${unreadable} messages could not be read`)
  if (filter !== undefined && filter.unevaluated > 0 && shown === 0) {
    remark(`--where had no value for ${filter.unevaluated} row(s): ${filter.firstProblem}`)
  }
}

export const tailCommand = (): Command =>
  addCommonOptions(
    new Command('tail')
      .description('Rows of a topic, as they come (without --since) or as they are (with it).')
      .addArgument(new Argument('<topic>', 'what to read').choices([...rowTopicNames]))
      .option(
        '--since <when>',
        'from this long ago (30s, 5m, 2h, 1d) or this ISO time: when they came to Kafka',
        sinceArgument
      )
      .option('--max <n>', 'end after so many rows', integerArgument(1))
      .option('--follow', 'go on with what comes; the default without --since')
      .option('--where <cel>', 'only rows that meet this CEL condition')
      .option('--format <format>', 'table or json (default: table on a terminal)', formatArgument)
  )
    .addHelpText('after', help)
    .action(tail)
