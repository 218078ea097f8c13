// Options that several verbs share, and how they become a configuration.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { type Config, type ConfigInput, loadConfig } from '../runtime/config.ts'
import { messageOf, RingsideError } from '../runtime/errors.ts'
import { parseDuration, parseSince } from './terminal/duration.ts'

export type Format = 'table' | 'json'

export interface CommonOptions {
  readonly brokers?: string[]
  readonly config?: string
  readonly stateDir?: string
  readonly topicPrefix?: string
  readonly host?: string
}

export interface EdgeOptions {
  readonly pid?: number[]
  readonly comm?: string[]
  readonly cgroup?: string[]
  readonly call?: Record<string, 'emit' | 'count' | 'off'>
  readonly securityRingBytes?: number
  readonly ringBytes?: number
  readonly batchEvents?: number
  readonly batchMs?: number
  readonly user?: string
  readonly cpuBudget?: string
  readonly goFunctions?: true
}

export interface ServiceOptions {
  readonly metricsListen?: string
  readonly panelListen?: string
}

/** Turns a parser's error into the one line in which commander names the option. */
const checked =
  <T>(parse: (text: string) => T) =>
  (text: string): T => {
    try {
      return parse(text)
    } catch (error) {
      throw new InvalidArgumentError(`${messageOf(error)}.`)
    }
  }

/** An option's value as a span of time, in milliseconds. */
export const durationArgument = checked(parseDuration)

/** An option's value as a moment, in milliseconds since the epoch. */
export const sinceArgument = checked((text) => parseSince(text, Date.now()))

/** An option's value as a whole number of at least `min`. */
export const integerArgument = (min: number) =>
  checked((text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= min) return value
    throw new RingsideError('USAGE', `"${text}" is not a whole number of at least ${min}`)
  })

/** An option's value as one of a fixed set. */
export const choiceArgument = <T extends string>(choices: readonly T[]) =>
  checked((text) => {
    const choice = choices.find((candidate) => candidate === text)
    if (choice !== undefined) return choice
    throw new RingsideError('USAGE', `"${text}" is not one of ${choices.join(', ')}`)
  })

export const formatArgument = choiceArgument<Format>(['table', 'json'])

/** For an option that may be given several times. */
const repeated =
  <T>(parse: (text: string) => T) =>
  (text: string, previous: T[] | undefined): T[] => [...(previous ?? []), parse(text)]

const callArgument = checked((text) => {
  const match = /^(\w+)=(emit|count|off)$/.exec(text)
  if (match === null) throw new RingsideError('USAGE', `"${text}" is not NAME=emit, NAME=count or NAME=off`)
  return [match[1] as string, match[2] as 'emit' | 'count' | 'off'] as const
})

const listArgument = (text: string): string[] => text.split(',').map((item) => item.trim())

export const addCommonOptions = (command: Command): Command =>
  command
    .option(
      '--brokers <list>',
      'Kafka brokers as host:port,… (else RINGSIDE_BROKERS, else the local one)',
      listArgument
    )
    .option('--config <file>', 'configuration file (YAML)')
    .option('--state-dir <dir>', 'folder of the local state (else RINGSIDE_STATE_DIR)')
    .option('--topic-prefix <prefix>', 'first part of every topic name (default: "ringside.")')

export const addEdgeOptions = (command: Command): Command =>
  command
    .option('--host <name>', 'name of this host in the events (default: its host name)')
    .option('--pid <pid>', 'observe only this process; may be repeated', repeated(integerArgument(1)))
    .option('--comm <name>', 'observe only threads of this name; may be repeated', repeated(String))
    .option('--cgroup <path>', 'observe only this v2 cgroup; may be repeated', repeated(String))
    .option(
      '--call <name=mode>',
      'emit, count or off for a system call or io_uring_OPERATION; may be repeated',
      (text, previous?: EdgeOptions['call']) => {
        const [name, mode] = callArgument(text)
        return { ...previous, [name]: mode }
      }
    )
    .option(
      '--security-ring-bytes <n>',
      'size of the kernel ring for processes and connections, a power of two',
      integerArgument(1)
    )
    .option('--ring-bytes <n>', 'size of the kernel ring for the rest, a power of two', integerArgument(1))
    .option('--batch-events <n>', 'events that close a batch', integerArgument(1))
    .option('--batch-ms <n>', 'age that closes a batch, in milliseconds', integerArgument(1))
    .option('--user <name>', 'whom the edge becomes once it observes (default: "nobody"; "" stays root)')
    .option('--go-functions', 'tell the function, file and line that a call of a Go process was made from')
    .option('--cpu-budget <percent>', 'of one core, for the edge and its programs, such as 3% (default: none)')

/** What every service that runs for long knows. */
export const addServiceOptions = (command: Command): Command =>
  command
    .option('--metrics-listen <address>', 'serve /metrics on this PORT of loopback, or HOST:PORT (default: none)')
    .option('--panel-listen <address>', 'panel: serve it on this PORT of loopback, or HOST:PORT (default: 9465)')

/**
 * The configuration: defaults < file < environment < these options.
 * @throws RingsideError CONFIG with every problem
 */
export const configFrom = (options: CommonOptions & EdgeOptions & ServiceOptions, more: ConfigInput = {}): Config =>
  loadConfig(
    {
      brokers: options.brokers,
      stateDir: options.stateDir,
      topicPrefix: options.topicPrefix,
      host: options.host,
      metrics: { listen: options.metricsListen },
      panel: { listen: options.panelListen },
      ...more,
      edge: {
        pids: options.pid,
        comms: options.comm,
        cgroups: options.cgroup,
        calls: options.call,
        securityRingBytes: options.securityRingBytes,
        ringBytes: options.ringBytes,
        batchEvents: options.batchEvents,
        batchMs: options.batchMs,
        user: options.user,
        cpuBudget: options.cpuBudget,
        go: { functions: options.goFunctions }
      }
    },
    options.config
  )

/** A table for people at a terminal, JSON lines for programs. */
export const chosenFormat = (format: Format | undefined, stream: { readonly isTTY?: boolean }): Format =>
  format ?? (stream.isTTY === true ? 'table' : 'json')

/**
 * The whole path of a recording that --source names.
 * @throws RingsideError NO_INPUT before anything is started in vain
 */
export const checkedSource = (source: string | undefined): string | undefined => {
  if (source === undefined) return undefined
  const path = resolve(source)
  if (existsSync(path)) return path
  throw new RingsideError('NO_INPUT', `there is no recording ${path}: \`ringside run edge --record FILE\` makes one`)
}
