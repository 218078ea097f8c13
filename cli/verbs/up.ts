// All of Ringside on this machine.
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
Progress and alerts go to stderr, the closing summary to stdout. The services' logs are in the state
folder, below logs/. Ctrl-C ends everything in order; a second one hurries.

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
  // The table unless JSON is asked for: the summary is for whoever ran it, even into a file.
  if (options.format === 'json') await output.line(JSON.stringify(summary))
  else await output.line(formatSummary(summary).join('\n'))
  if (failed.length > 0) throw new RingsideError('UNAVAILABLE', `failed while running: ${failed.join(', ')}`)
}

export const upCommand = (): Command =>
  addEdgeOptions(
    addServiceOptions(
      addCommonOptions(
        new Command('up')
          .description(
            'Runs all of it on this machine: Kafka unless brokers are named, edge, rollups, alerts, audit, panel.'
          )
          .option('--for <span>', 'end by itself after this long (30s, 5m)', durationArgument)
          .option('--source <file>', 'a recording in place of the live kernel')
          .option('--kafka-port <n>', 'loopback port of the Kafka it starts (default: 9092)', integerArgument(1))
      )
    )
  )
    .option('--print-config', 'print the configuration, secrets redacted, and end')
    .option('--format <format>', 'closing summary as table or json (default: table)', formatArgument)
    .addHelpText('after', help)
    .action(up)
