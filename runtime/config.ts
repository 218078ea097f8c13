// The settings of every process, with limits and defaults: one schema. loadConfig() reads them.
import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { findListen, isLoopback } from './listen.ts'

const callMode = z.enum(['emit', 'count', 'off'])

/** Size of a ring: a power of two, at least one page. */
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

/** Shorter tokens are easy to guess. */
const minTokenLength = 16

const listener = (defaultListen: string) =>
  z
    .strictObject({
      /** "PORT" (loopback) or "HOST:PORT"; empty: no listener. */
      listen: z
        .union([z.string(), z.int().transform(String)])
        .refine((text) => text === '' || findListen(text) !== undefined, 'must be PORT or HOST:PORT')
        .default(defaultListen),
      /** Bearer token of the clients; required beyond loopback. */
      token: z.string().min(minTokenLength).optional()
    })
    .superRefine(({ listen, token }, context) => {
      const found = findListen(listen)
      if (token !== undefined || found === undefined || isLoopback(found)) return
      const message = `must be set, as other machines can connect to ${listen}: set a token or listen on loopback`
      context.addIssue({ code: 'custom', path: ['token'], message })
    })

export const configSchema = z.strictObject({
  brokers: z.array(z.string().regex(/^[^\s:]+:\d+$|^\[[0-9a-fA-F:]+\]:\d+$/, 'must be host:port')).default([]),
  topicPrefix: z
    .string()
    .regex(/^[a-zA-Z0-9._-]*$/, 'may have letters, digits, ".", "_" and "-"')
    .max(100)
    .default('ringside.'),
  host: z.string().min(1).max(255).default(hostname()),
  stateDir: z.string().min(1).default(defaultStateDir()),
  kafka: z
    .strictObject({
      /** Loopback port of the Kafka that `ringside up` starts. */
      port: z.int().min(1).max(65535).default(9092),
      heapMb: z.int().min(128).default(384),
      partitions: z.int().min(1).max(1000).default(3),
      replicas: z.int().min(1).max(10).default(1)
    })
    .prefault({}),
  edge: z
    .strictObject({
      /** Ring of exec, fork and exit, which nothing else can fill. */
      processRingBytes: ringBytes.default(8 << 20),
      /** Ring of other events of the classes process and network, which a flood of the other classes cannot fill. */
      securityRingBytes: ringBytes.default(16 << 20),
      /** Ring of the classes file and io. */
      ringBytes: ringBytes.default(64 << 20),
      /** Events that a process may emit per second, exec, fork and exit apart; beyond them its calls are counted. 0: none. */
      processEventsPerSecond: z.int().min(0).max(1_000_000_000).default(65_536),
      /** Number of events that closes a batch. */
      batchEvents: z.int().min(1).max(100_000).default(1000),
      /** Age that closes a batch. */
      batchMs: z.int().min(10).max(60_000).default(100),
      /** Encoder of batches: C++, or avsc when the addon is missing. Both write the same bytes. */
      codec: z.enum(['native', 'avsc']).default('native'),
      /** File in the state directory that stores encoded batches while Kafka does not take them. */
      spool: z
        .strictObject({
          enabled: z.boolean().default(true),
          /** Bound on the file and its write-ahead log together. */
          maxBytes: z
            .int()
            .min(16 << 20)
            .default(1 << 30)
        })
        .prefault({}),
      /** Mode by name of a system call or io_uring operation. Default: process, network and file emit, io counts. */
      calls: z.record(z.string(), callMode).default({}),
      /** Observe only these processes (thread group IDs); empty: all. */
      pids: z.array(z.int().min(1)).default([]),
      /** Observe only threads of these names (comm, at most 15 bytes); empty: all. */
      comms: z.array(z.string().min(1).max(15)).default([]),
      /** Observe only these v2 cgroups (paths below the mount point, or whole paths); empty: all. */
      cgroups: z.array(z.string().min(1)).default([]),
      /** User that an edge started by root switches to once its programs are attached; empty: it stays root. */
      user: z.string().default('nobody'),
      /** Share of one core for the edge and its programs; above it, classes are counted instead of emitted. */
      cpuBudget: percent.optional(),
      /** bpffs folder that pins programs and rings for the next edge; root mounts a missing bpffs. Empty: no pins. */
      pinDir: z.string().default('/sys/fs/bpf/ringside'),
      /** Extra data collected for Go processes. */
      go: z
        .strictObject({
          /** Function, file and line behind an emitted call. Costs 1–2 µs a call; the edge keeps CAP_SYS_PTRACE. */
          functions: z.boolean().default(false)
        })
        .prefault({})
    })
    .prefault({}),
  consumers: z
    .strictObject({
      /** Time in which a handler must answer; afterwards its message is a dead letter. */
      handlerTimeoutMs: z.int().min(100).max(3_600_000).default(60_000)
    })
    .prefault({}),
  rollups: z
    .strictObject({
      windowsMs: z
        .array(z.int().min(100).max(3_600_000))
        .min(1)
        .refine((lengths) => lengths.every((ms) => ms % Math.min(...lengths) === 0), {
          message: 'each length must be a multiple of the shortest, which the others are merged from'
        })
        .default([1000, 10_000, 60_000]),
      /** Keys of the shortest windows, in addition to (workload, call). */
      by: z.array(z.enum(['process', 'go_function'])).default(['process', 'go_function']),
      /** Age of a shortest window at its partial result; 0: final results only. */
      partialAfterMs: z.int().min(0).default(500),
      /** Bound on the rows of a host in a window; calls of further keys are in the row "other". */
      maxKeys: z.int().min(1).default(20_000),
      /** Allowed lateness: a window accepts late events for this time after its end. */
      latenessMs: z.int().min(0).default(10_000)
    })
    .prefault({}),
  alerts: z
    .strictObject({
      /** Folder of rule files; default: the rules of Ringside. */
      rulesDir: z.string().optional(),
      /** Entities that a rule tracks for each host; beyond it, the least recently active one is evicted. */
      maxEntities: z.int().min(1).default(10_000),
      /** Deviations of latency and rate of every (host, workload, call) from their baseline. */
      drift: z
        .strictObject({
          enabled: z.boolean().default(true),
          /** Length of the windows that are compared: one of rollups.windowsMs. */
          windowSeconds: z.int().min(1).max(3600).default(10),
          /** Length of the current span; a multiple of windowSeconds. */
          currentSeconds: z.int().min(2).max(3600).default(120),
          /** Length of the baseline; a multiple of currentSeconds. */
          baselineSeconds: z.int().min(60).max(86_400).default(1800),
          /** A span with fewer calls is not compared. */
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
      /** Bound on the series by (host, workload, call) of the rollups service; the less busy keys of a host share one. */
      series: z.int().min(1).max(100_000).default(200)
    })
    .prefault({})
})

export type Config = z.infer<typeof configSchema>
export type ConfigInput = z.input<typeof configSchema>

/** In /var/lib for root, below XDG_STATE_HOME for other users. */
function defaultStateDir(): string {
  if (process.getuid?.() === 0) return '/var/lib/ringside'
  return join(process.env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'ringside')
}
