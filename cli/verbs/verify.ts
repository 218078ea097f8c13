// Reads the events topic and reports where it differs from the edges' ledgers.
import { Command } from 'commander'
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import { Reconciliation } from '../../verify/reconciliation.ts'
import type { ReceivedMessage, UnreadableBatch } from '../../wire/client.ts'
import { decode } from '../../wire/codec.ts'
import { topicName } from '../../wire/topics.ts'
import { connect } from '../connect.ts'
import {
  addCommonOptions,
  type CommonOptions,
  chosenFormat,
  configFrom,
  type Format,
  formatArgument,
  sinceArgument
} from '../options.ts'
import { interrupted } from '../terminal/interrupted.ts'
import { Output } from '../terminal/output.ts'
import { Progress, readProgress } from '../terminal/progress.ts'
import { quietLog } from '../terminal/quiet-log.ts'
import { formatReports } from '../verify/format-reports.ts'

interface VerifyOptions extends Omit<CommonOptions, 'host'> {
  readonly since?: number
  readonly host?: string
  readonly format?: Format
}

const help = `
Every sequence number that a batch accounts for must be an event, a summary or a declared drop of the topic, and
the ledger's counts must equal the topic's. A run that is still going is verified up to its last batch.
Exit code 0: everything agrees. Exit code 1: it does not; each finding names run, CPU and sequence numbers. Unreadable
messages are listed and not judged. --host reads only the partition of that host.

Examples:
  ringside verify --since 1h
  ringside verify --host web-1 --format json | jq .findings
`

const disagreesCode = 1

const verify = async ({ host, since, ...options }: VerifyOptions): Promise<void> => {
  const config = configFrom(options)
  const client = await connect(config, 'verify', quietLog('verify'))
  const topic = topicName(config, 'events')
  const output = new Output()
  const progress = new Progress()
  const reconciliation = new Reconciliation()

  const onMessage = (message: ReceivedMessage, partition: number): undefined => {
    const key = String(message.key)
    if (host !== undefined && key !== host) return
    try {
      if (message.value === null) throw new RingsideError('DATA', 'the message has no value')
      reconciliation.add(decode('EventBatch', message.value), message.timestampMs)
    } catch (error) {
      reconciliation.addUnreadable(key, `offset ${message.offset} of partition ${partition}`, messageOf(error))
    }
  }

  /** Of any host: its key is unreadable, too. */
  const onUnreadable = ({ firstOffset, lastOffset, reason }: UnreadableBatch, partition: number): void => {
    const where = `record batch at offsets ${firstOffset}–${lastOffset} of partition ${partition}`
    reconciliation.addUnreadable(host ?? 'unknown', where, reason)
  }

  const signal = AbortSignal.any([output.closed, interrupted()])
  const onProgress = readProgress(progress, `of ${topic} read`)
  await client.read(
    { topic, key: host, sinceMs: since ?? 0, untilEnd: true, onProgress, onMessage, onUnreadable },
    signal
  )
  progress.clear()
  const reports = reconciliation.reports()
  if (reports.length === 0) {
    const of = host === undefined ? '' : ` of host ${host}`
    const when = since === undefined ? '' : ` since ${new Date(since).toISOString()}`
    throw new RingsideError('NO_INPUT', `nothing to verify: ${topic} has no batch${of}${when}`)
  }
  if (chosenFormat(options.format, process.stdout) === 'json') await output.json(...reports)
  else await output.line(formatReports(reports, output.width).join('\n'))
  if (signal.aborted)
    throw new RingsideError('UNAVAILABLE', 'interrupted: only a part of the topic was read, the report is incomplete')
  const verdicts = reports.map(({ agrees }) => agrees)
  if (verdicts.includes(false) || !verdicts.includes(true)) process.exitCode = disagreesCode
}

export const verifyCommand = (): Command =>
  addCommonOptions(
    new Command('verify')
      .description("Compares the edges' ledgers with the events topic and reports every difference.")
      .option(
        '--since <when>',
        'only messages from this long ago (30s, 5m, 2h, 1d) or this ISO time on, by Kafka timestamp (default: all)',
        sinceArgument
      )
      .option('--host <name>', 'only this host')
      .option('--format <format>', 'table or json (default: table on a terminal)', formatArgument)
  )
    .addHelpText('after', help)
    .action(verify)
