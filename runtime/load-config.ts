// Loads the configuration: defaults < file < environment < flags. Reports every problem at once, before anything starts.
import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { type Config, type ConfigInput, configSchema } from './config.ts'
import { messageOf, RingsideError } from './errors.ts'

const fromEnvironment = (env: NodeJS.ProcessEnv): ConfigInput => {
  const input: ConfigInput = {}
  if (env['RINGSIDE_BROKERS']) input.brokers = env['RINGSIDE_BROKERS'].split(',').map((broker) => broker.trim())
  if (env['RINGSIDE_TOPIC_PREFIX'] !== undefined) input.topicPrefix = env['RINGSIDE_TOPIC_PREFIX']
  if (env['RINGSIDE_HOST']) input.host = env['RINGSIDE_HOST']
  if (env['RINGSIDE_STATE_DIR']) input.stateDir = env['RINGSIDE_STATE_DIR']
  if (env['RINGSIDE_METRICS_TOKEN']) input.metrics = { token: env['RINGSIDE_METRICS_TOKEN'] }
  if (env['RINGSIDE_PANEL_TOKEN']) input.panel = { token: env['RINGSIDE_PANEL_TOKEN'] }
  if (env['RINGSIDE_PIN_DIR'] !== undefined) input.edge = { pinDir: env['RINGSIDE_PIN_DIR'] }
  return input
}

const readConfigFile = (path: string): ConfigInput => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new RingsideError('NO_INPUT', `cannot read configuration file ${path}: ${messageOf(cause)}`, { cause })
  }
  let value: unknown
  try {
    value = parse(text) ?? {}
  } catch (cause) {
    throw new RingsideError('CONFIG', `configuration file ${path} is not valid YAML: ${messageOf(cause)}`, { cause })
  }
  if (isObject(value)) return value as ConfigInput
  throw new RingsideError(
    'CONFIG',
    `configuration file ${path} is no mapping: write settings such as "brokers: [kafka1:9092]"`
  )
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** @throws RingsideError CONFIG for the setting __proto__, which an object would take for its prototype */
const merge = (base: unknown, over: unknown, path = ''): unknown => {
  if (!isObject(over)) return over === undefined ? base : over
  const merged: Record<string, unknown> = isObject(base) ? { ...base } : {}
  for (const [key, value] of Object.entries(over)) {
    if (key === '__proto__') {
      throw new RingsideError('CONFIG', `the configuration has 1 problem(s):\n  ${path}__proto__: is no setting`)
    }
    merged[key] = merge(merged[key], value, `${path}${key}.`)
  }
  return merged
}

/**
 * @param flags settings of the command line; an undefined value counts as absent
 * @param file path of a YAML file with the same structure
 * @throws RingsideError CONFIG with one line for every problem, NO_INPUT when the file cannot be read
 */
export const loadConfig = (flags: ConfigInput = {}, file?: string, env: NodeJS.ProcessEnv = process.env): Config => {
  const input = [file === undefined ? {} : readConfigFile(file), fromEnvironment(env), flags].reduce<unknown>(
    (base, over) => merge(base, over),
    {}
  )
  const result = configSchema.safeParse(input)
  if (result.success) return result.data
  const problems = result.error.issues.map((issue) => `  ${issue.path.join('.') || 'configuration'}: ${issue.message}`)
  throw new RingsideError('CONFIG', `the configuration has ${problems.length} problem(s):\n${problems.join('\n')}`)
}
