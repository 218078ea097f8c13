// The configuration of every process: defaults < file < environment < flags, all problems reported
// at once before anything starts. One schema, so that `--print-config` shows all there is.
import { readFileSync } from 'node:fs'
import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { messageOf, RingsideError } from './errors.ts'
import { findListen, isLoopback } from './listen.ts'

const callMode = z.enum(['emit', 'count', 'off'])

/** A power of two and a multiple of the page size. */
const ringBytes = z
  .int()
  .min(4096)
  .max(1 << 30)
  .refine((n) => (n & (n - 1)) === 0, 'must be a power of two')

/** "3%" or 3. */
const percent = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\d+(\.\d+)?%?$/, 'must be a percentage, such as 3%')
      .transform((text) => Number.parseFloat(text))
  ])
  .pipe(z.number().positive())

/** A token that cannot be guessed. */
const minTokenLength = 16

const listener = (where: string) =>
  z
    .strictObject({
      /** "PORT" on loopback, or "HOST:PORT"; empty: nobody listens. */
      listen: z
        .union([z.string(), z.int().transform(String)])
        .refine((text) => text === '' || findListen(text) !== undefined, 'must be PORT or HOST:PORT')
        .default(where),
      /** Asked for as a bearer; beyond loopback there must be one. */
      token: z.string().min(minTokenLength).optional()
    })
    .superRefine(({ listen, token }, context) => {
      const found = findListen(listen)
      if (token !== undefined || found === undefined || isLoopback(found)) return
      const message = `must be set where others than this machine may ask: listen is ${listen}`
      context.addIssue({ code: 'custom', path: ['token'], message })
    })

const schema = z.strictObject({
  brokers: z.array(z.string().regex(/^[^\s:]+:\d+$|^\[[0-9a-fA-F:]+\]:\d+$/, 'must be host:port')).default([]),
  topicPrefix: z
    .string()
    .regex(/^[a-zA-Z0-9._-]*$/, 'may hold letters, digits, ".", "_" and "-"')
    .max(100)
    .default('ringside.'),
  host: z.string().min(1).max(255).default(hostname()),
  stateDir: z.string().min(1).default(defaultStateDir()),
  kafka: z
    .strictObject({
      /** Loopback port of the Kafka that `up` starts. */
      port: z.int().min(1).max(65535).default(9092),
      heapMb: z.int().min(128).default(384),
      partitions: z.int().min(1).max(1000).default(3),
      replicas: z.int().min(1).max(10).default(1)
    })
    .prefault({}),
  edge: z
    .strictObject({
      /** Bytes of the ring for processes and connections, which a flood of the rest never fills. */
      securityRingBytes: ringBytes.default(16 << 20),
      /** Bytes of the ring for the rest: files, reads and writes. */
      ringBytes: ringBytes.default(64 << 20),
      /** Events that close a batch. */
      batchEvents: z.int().min(1).max(100_000).default(1000),
      /** Age that closes a batch. */
      batchMs: z.int().min(10).max(60_000).default(100),
      /** Who encodes batches: C++, or where that is not built avsc; the bytes are the same. */
      codec: z.enum(['native', 'avsc']).default('native'),
      /** Where encoded batches wait beyond memory while Kafka is away, in the state directory. */
      spool: z
        .strictObject({
          enabled: z.boolean().default(true),
          /** Of the file and its write-ahead log. */
          maxBytes: z
            .int()
            .min(16 << 20)
            .default(1 << 30)
        })
        .prefault({}),
      /** By name of a system call or io_uring operation; of the rest, processes, network and files emit, all else counts. */
      calls: z.record(z.string(), callMode).default({}),
      /** Observe only these processes (thread group ids); empty: all. */
      pids: z.array(z.int().min(1)).default([]),
      /** Observe only threads of these names (comm, at most 15 bytes); empty: all. */
      comms: z.array(z.string().min(1).max(15)).default([]),
      /** Observe only these v2 cgroups (paths below the mount point, or whole paths); empty: all. */
      cgroups: z.array(z.string().min(1)).default([]),
      /** Whom an edge that root started becomes once it observes; empty: it stays root. */
      user: z.string().default('nobody'),
      /** Of one core, for the edge and its programs; beyond it classes are counted instead of told. */
      cpuBudget: percent.optional(),
      /** Folder in which programs and rings outlive the edge, in a bpffs that root mounts if need be; empty: they end with it. */
      pinDir: z.string().default('/sys/fs/bpf/ringside'),
      /** What Go processes are told beyond others. */
      go: z
        .strictObject({
          /** Function, file and line that a told call was made from: a microsecond or two a call, and CAP_SYS_PTRACE is kept. */
          functions: z.boolean().default(false)
        })
        .prefault({})
    })
    .prefault({}),
  rollups: z
    .strictObject({
      windowsMs: z
        .array(z.int().min(100).max(3_600_000))
        .min(1)
        .refine((lengths) => lengths.every((ms) => ms % Math.min(...lengths) === 0), {
          message:
            'each length must be a multiple of the shortest: a call is recorded in that, and merged into the others'
        })
        .default([1000, 10_000, 60_000]),
      /** What the shortest windows have rows of beside each (workload, call). */
      by: z.array(z.enum(['process', 'go_function'])).default(['process', 'go_function']),
      /** After so much of a shortest window what there is of it is told already; 0: only when it closes. */
      partialAfterMs: z.int().min(0).default(500),
      /** Rows a host may have in a window; the rest is summed under "other". */
      maxKeys: z.int().min(1).default(20_000),
      /** How long after its close a window is still corrected by late events. */
      latenessMs: z.int().min(0).default(10_000)
    })
    .prefault({}),
  alerts: z
    .strictObject({
      /** Folder of rule files; undefined: the rules that come with Ringside. */
      rulesDir: z.string().optional(),
      /** Entities that a rule counts at once for each host; beyond it, the one quiet for longest is forgotten. */
      maxEntities: z.int().min(1).default(10_000),
      /** Deviations of latency and rate of every (host, workload, call) from their baseline. */
      drift: z
        .strictObject({
          enabled: z.boolean().default(true),
          /** Length of the windows that are compared: one of rollups.windowsMs. */
          windowSeconds: z.int().min(1).max(3600).default(10),
          /** Length of the current period; a multiple of windowSeconds. */
          currentSeconds: z.int().min(2).max(3600).default(120),
          /** Length of the baseline; a multiple of currentSeconds. */
          baselineSeconds: z.int().min(60).max(86_400).default(1800),
          /** A period with fewer calls is not compared. */
          minCalls: z.int().min(1).default(200),
          /** For latency: Kolmogorov–Smirnov distance, ratio of a quantile, and its difference in microseconds. */
          minDistance: z.number().min(0).max(1).default(0.2),
          minRatio: z.number().min(1).default(1.3),
          minShiftUs: z.number().min(0).default(1),
          /** For the rate: the same of the number of calls in a window. */
          minRateDistance: z.number().min(0).max(1).default(0.8),
          minRateRatio: z.number().min(1).default(1.8),
          /** Distance from the baseline, in multiples of the largest distance of its own parts. */
          minContrast: z.number().min(1).default(2.5),
          /** Bound on the alerts that chance alone raises, for each host. */
          falseAlertsPerDay: z.number().positive().default(0.1),
          /** Keys (workload, call) with a history, for each host and partition. */
          maxKeys: z.int().min(1).default(1000)
        })
        .refine(({ windowSeconds, currentSeconds }) => currentSeconds % windowSeconds === 0, {
          path: ['currentSeconds'],
          error: 'must be a multiple of windowSeconds'
        })
        .refine(({ currentSeconds, baselineSeconds }) => baselineSeconds % currentSeconds === 0, {
          path: ['baselineSeconds'],
          error: 'must be a multiple of currentSeconds'
        })
        .prefault({})
    })
    .prefault({}),
  panel: listener('9465').prefault({}),
  metrics: listener('')
    .safeExtend({
      /** Of (host, workload, call) in the rollups service, the busiest; the others of a host share one. */
      series: z.int().min(1).max(100_000).default(200)
    })
    .prefault({})
})

export type Config = z.infer<typeof schema>
export type ConfigInput = z.input<typeof schema>

/** Root's state lies in /var/lib, a user's below XDG_STATE_HOME. */
function defaultStateDir(): string {
  if (process.getuid?.() === 0) return '/var/lib/ringside'
  return join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'ringside')
}

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
    throw new RingsideError('NO_INPUT', `cannot read the configuration file ${path}: ${messageOf(cause)}`, { cause })
  }
  let value: unknown
  try {
    value = parse(text) ?? {}
  } catch (cause) {
    throw new RingsideError('CONFIG', `${path} is not valid YAML: ${messageOf(cause)}`, { cause })
  }
  if (isObject(value)) return value as ConfigInput
  throw new RingsideError('CONFIG', `${path} holds no mapping of settings, such as "brokers: [kafka1:9092]"`)
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const merge = (base: unknown, over: unknown): unknown => {
  if (!isObject(base) || !isObject(over)) return over === undefined ? base : over
  const merged: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(over)) merged[key] = merge(base[key], value)
  return merged
}

/**
 * Builds the configuration.
 * @param flags what the command line set; undefined values are as if absent
 * @param file path of a YAML file with the same shape, or undefined
 * @throws RingsideError CONFIG with every problem, one a line
 */
export const loadConfig = (flags: ConfigInput = {}, file?: string, env: NodeJS.ProcessEnv = process.env): Config => {
  const input = [file === undefined ? {} : readConfigFile(file), fromEnvironment(env), flags].reduce<unknown>(merge, {})
  const result = schema.safeParse(input)
  if (result.success) return result.data
  const problems = result.error.issues.map((issue) => `  ${issue.path.join('.') || 'configuration'}: ${issue.message}`)
  throw new RingsideError('CONFIG', `the configuration has ${problems.length} problem(s):\n${problems.join('\n')}`)
}

const secretName = /password|secret|token|credential|privatekey/i

const redacted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(redacted)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, held]) => [
      name,
      secretName.test(name) && held !== undefined ? '<redacted>' : redacted(held)
    ])
  )
}

/** The whole configuration as YAML for people; what a secret's name holds is not shown. */
export const printableConfig = (config: Config): string => stringify(redacted(config)).trimEnd()
