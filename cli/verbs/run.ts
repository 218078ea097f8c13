// Runs one service in this process.
import { Command } from 'commander'
import { RingsideError } from '../../runtime/errors.ts'
import { createLog } from '../../runtime/log.ts'
import { printableConfig } from '../../runtime/printable-config.ts'
import { resolveBrokers } from '../connect.ts'
import {
  addCommonOptions,
  addEdgeOptions,
  addServiceOptions,
  type CommonOptions,
  checkedSource,
  configFrom,
  type EdgeOptions,
  type ServiceOptions
} from '../options.ts'
import { checkServices } from '../run/check-service.ts'
import { host } from '../run/host.ts'
import { isHandlerPath, isServiceName, nameOf, serviceNames, startService } from '../run/start-service.ts'
import { Output } from '../terminal/output.ts'

interface RunOptions extends CommonOptions, EdgeOptions, ServiceOptions {
  readonly source?: string
  readonly record?: string
  readonly ignoreFamily?: true
  readonly printConfig?: true
}

const help = `
Your own handler is a module whose default export is a function (batch, context) => outputs, or
{ create: (partition) => handler }: see consumer/handler.ts. On SIGTERM an edge publishes the events that it has read, and
a consumer stops at its last commit. The third SIGTERM kills the process.

Examples:
  sudo ringside run edge --brokers kafka1:9092 --comm nginx --call read=off
  ringside run rollups --brokers kafka1:9092
  ringside run panel --panel-listen 8080
  ringside run ./my-handler.ts
`

const edgeOnly = [
  ...(['source', 'record', 'ignoreFamily', 'host', 'pid', 'comm', 'cgroup', 'call'] as const),
  ...(['processRingBytes', 'securityRingBytes', 'ringBytes', 'batchEvents', 'batchMs'] as const),
  ...(['processEventsPerSecond', 'user', 'cpuBudget', 'goFunctions'] as const)
]

/** "batchMs" → "--batch-ms" */
const flagOf = (option: string): string => `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`

const run = async (target: string, options: RunOptions): Promise<void> => {
  if (!isServiceName(target) && !isHandlerPath(target)) {
    throw new RingsideError(
      'USAGE',
      `"${target}" is neither a service (${serviceNames.join(', ')}) nor a path such as ./my-handler.ts`
    )
  }
  if (isHandlerPath(target) && isServiceName(nameOf(target))) {
    throw new RingsideError(
      'USAGE',
      `a handler named ${nameOf(target)} would join the consumer group of that service: rename ${target}`
    )
  }
  const misplaced = target === 'edge' ? [] : edgeOnly.filter((name) => options[name] !== undefined)
  if (misplaced.length > 0)
    throw new RingsideError('USAGE', `only the edge has the options ${misplaced.map(flagOf).join(', ')}`)
  if (target !== 'panel' && options.panelListen !== undefined) {
    throw new RingsideError('USAGE', `only the panel has the option ${flagOf('panelListen')}`)
  }

  const config = configFrom(options)
  if (options.printConfig === true) return new Output().line(printableConfig(config))
  const source = checkedSource(options.source)
  const name = nameOf(target)
  const log = createLog(name)
  await checkServices([target], config, { source })
  const brokers = [...(await resolveBrokers(config))]
  const from = { source, record: options.record, ignoreFamily: options.ignoreFamily === true }
  const start = () => startService(target, { ...config, brokers }, log, from)
  await host({ name, log, start, metrics: config.metrics })
}

export const runCommand = (): Command =>
  addEdgeOptions(
    addServiceOptions(
      addCommonOptions(
        new Command('run')
          .description('Run one service until it is stopped, or until its recording ends.')
          .argument('<service>', `${serviceNames.join(', ')}, or the path of your own handler`)
          .option('--source <file>', 'edge: read a recording instead of the live kernel')
          .option('--record <file>', 'edge: also write the raw ring to this file')
      )
    )
  )
    .option('--ignore-family', 'edge: do not observe the parent process and its children')
    .option('--print-config', 'print the configuration without secrets, and exit')
    .addHelpText('after', help)
    .action(run)
