// Runs everything on this machine.
import { Command } from 'commander'
import { RingsideError } from '../../runtime/errors.ts'
import { printableConfig } from '../../runtime/printable-config.ts'
import {
  addCommonOptions,
  addEdgeOptions,
  addServiceOptions,
  type CommonOptions,
  checkedSource,
  configFrom,
  durationArgument,
  type EdgeOptions,
  type Format,
  formatArgument,
  integerArgument,
  type ServiceOptions
} from '../options.ts'
import { Output } from '../terminal/output.ts'
import { Progress } from '../terminal/progress.ts'
import { quietLog } from '../terminal/quiet-log.ts'
import { runUp } from '../up/run-up.ts'
import { formatSummary } from '../up/summary.ts'

interface UpVerbOptions extends CommonOptions, EdgeOptions, ServiceOptions {
  readonly for?: number
  readonly source?: string
  readonly kafkaPort?: number
  readonly printConfig?: true
  readonly format?: Format
}

const help = `
Progress and alerts go to stderr, the closing summary goes to stdout. The services write their logs to the folder logs/
of the state folder. Ctrl-C stops everything in order; a second Ctrl-C leaves unread events to the next run.

Examples:
  sudo ringside up --for 30s
  ringside up --source examples/recordings/known-calls.rec --for 10s --format json
`

const up = async (options: UpVerbOptions): Promise<void> => {
  const config = configFrom(options, { kafka: { port: options.kafkaPort } })
  const output = new Output()
  if (options.printConfig === true) return output.line(printableConfig(config))
  const { summary, failed } = await runUp({
    config,
    forMs: options.for,
    source: checkedSource(options.source),
    progress: new Progress(),
    log: quietLog('up')
  })
  // A table even in a file: the summary is for people.
  if (options.format === 'json') await output.json(summary)
  else await output.line(formatSummary(summary).join('\n'))
  if (failed.length > 0)
    throw new RingsideError('UNAVAILABLE', `failed: ${failed.join(', ')}; their logs are in ${config.stateDir}/logs`)
}

export const upCommand = (): Command =>
  addEdgeOptions(
    addServiceOptions(
      addCommonOptions(
        new Command('up')
          .description(
            'Run everything on this machine: Kafka (unless brokers are configured), edge, rollups, alerts, audit, panel.'
          )
          .option('--for <duration>', 'stop after this time (30s, 5m)', durationArgument)
          .option('--source <file>', 'read a recording instead of the live kernel')
          .option('--kafka-port <n>', 'loopback port of the local Kafka (default: 9092)', integerArgument(1))
      )
    )
  )
    .option('--print-config', 'print the configuration without secrets, and exit')
    .option('--format <format>', 'format of the summary, table or json (default: table)', formatArgument)
    .addHelpText('after', help)
    .action(up)
