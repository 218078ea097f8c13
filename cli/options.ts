// Options that several verbs share, and the configuration that they make.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import type { Config, ConfigInput } from '../runtime/config.ts'
import { messageOf, RingsideError } from '../runtime/errors.ts'
import { loadConfig } from '../runtime/load-config.ts'
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
  readonly processRingBytes?: number
  readonly securityRingBytes?: number
  readonly ringBytes?: number
  readonly processEventsPerSecond?: number
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

/** Reports a parser's error in commander's form: one line with the option's name. */
const checked =
  <T>(parse: (text: string) => T) =>
  (text: string): T => {
    try {
      return parse(text)
    } catch (error) {
      throw new InvalidArgumentError(`${messageOf(error)}.`)
    }
  }

/** Parses a duration, to milliseconds. */
export const durationArgument = checked(parseDuration)

/** Parses a moment, to milliseconds since the epoch. */
export const sinceArgument = checked((text) => parseSince(text, Date.now()))

/** Parses a whole number of at least `min`. */
export const integerArgument = (min: number) =>
  checked((text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= min) return value
    throw new RingsideError('USAGE', `"${text}" is not a whole number of at least ${min}`)
  })

/** Parses one of a fixed set. */
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
      'Kafka brokers, host:port,… (default: RINGSIDE_BROKERS, else the local Kafka)',
      listArgument
    )
    .option('--config <file>', 'configuration file (YAML)')
    .option('--state-dir <dir>', 'folder of the local state (default: RINGSIDE_STATE_DIR)')
    .option('--topic-prefix <prefix>', 'prefix of every topic name (default: "ringside.")')

export const addEdgeOptions = (command: Command): Command =>
  command
    .option('--host <name>', 'name of this host in the events (default: gethostname)')
    .option('--pid <pid>', 'observe only this process; repeatable', repeated(integerArgument(1)))
    .option('--comm <name>', 'observe only threads with this name; repeatable', repeated(String))
    .option('--cgroup <path>', 'observe only this v2 cgroup; repeatable', repeated(String))
    .option(
      '--call <name=mode>',
      'mode (emit, count or off) of a system call or of io_uring_OPERATION; repeatable',
      (text, previous?: EdgeOptions['call']) => {
        const [name, mode] = callArgument(text)
        return { ...previous, [name]: mode }
      }
    )
    .option('--process-ring-bytes <n>', 'bytes of the ring for exec, fork and exit, a power of two', integerArgument(1))
    .option(
      '--security-ring-bytes <n>',
      'bytes of the ring for other process and network events, a power of two',
      integerArgument(1)
    )
    .option('--ring-bytes <n>', 'bytes of the ring for all other events, a power of two', integerArgument(1))
    .option(
      '--process-events-per-second <n>',
      'events that one process may emit per second; beyond them its calls are counted; 0: no bound',
      integerArgument(0)
    )
    .option('--batch-events <n>', 'close a batch after this many events', integerArgument(1))
    .option('--batch-ms <n>', 'close a batch after this many milliseconds', integerArgument(1))
    .option(
      '--user <name>',
      'user that the edge becomes once its programs are attached (default: "nobody"; "" stays root)'
    )
    .option('--go-functions', 'add the Go function, file and line that made each emitted call')
    .option(
      '--cpu-budget <percent>',
      'limit of the edge and its programs, percent of one core, such as 3% (default: none)'
    )

/** Options of `up` and of every service. */
export const addServiceOptions = (command: Command): Command =>
  command
    .option('--metrics-listen <address>', 'serve /metrics on this loopback PORT, or on HOST:PORT (default: off)')
    .option('--panel-listen <address>', 'serve the panel on this loopback PORT, or on HOST:PORT (default: 9465)')

/**
 * Makes the configuration: defaults < file < environment < these options.
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
        processRingBytes: options.processRingBytes,
        securityRingBytes: options.securityRingBytes,
        ringBytes: options.ringBytes,
        processEventsPerSecond: options.processEventsPerSecond,
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
 * The absolute path of the recording of --source.
 * @throws RingsideError NO_INPUT when it does not exist
 */
export const checkedSource = (source: string | undefined): string | undefined => {
  if (source === undefined) return undefined
  const path = resolve(source)
  if (existsSync(path)) return path
  throw new RingsideError('NO_INPUT', `recording ${path} does not exist: \`ringside run edge --record FILE\` makes one`)
}
