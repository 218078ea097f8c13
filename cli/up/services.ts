// The services of one `up`: supervised children that share one written configuration.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../runtime/config.ts'
import { cannotWrite } from '../../runtime/errors.ts'
import { withPortRaised } from '../../runtime/listen.ts'
import { ChildLog } from './child-log.ts'
import type { Totals } from './status-line.ts'
import type { RunCounts } from './summary.ts'
import { type ServiceState, SupervisedService } from './supervised-service.ts'

/** Consumers of every event: their counts are compared with the edge's. */
export const consumerNames = ['rollups', 'alerts', 'audit'] as const

export interface ServicesOptions {
  readonly config: Config
  /** Arguments of `run edge`; undefined: no edge. */
  readonly edgeArgs: readonly string[] | undefined
  readonly onLine: (text: string) => void
}

/** Worst case of a drain on a slow disk; typically a second. */
const drainTimeoutMs = 60_000

/** Without RINGSIDE_ variables: the written configuration has them, and flags of `up` must win over them. */
const environmentFor = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(env).filter(([name]) => !name.startsWith('RINGSIDE_') || name === 'RINGSIDE_LOG_LEVEL')
  )

/** A service that retries logs the same message each time: it is shown once in this time. */
const repeatNoteEveryMs = 30_000

/** True for a text that differs from the last shown one, or after repeatNoteEveryMs. */
const newsFilter = (): ((text: string) => boolean) => {
  let last = ''
  let shownAtMs = 0
  return (text) => {
    if (text === last && performance.now() - shownAtMs < repeatNoteEveryMs) return false
    last = text
    shownAtMs = performance.now()
    return true
  }
}

const stateLine = (name: string, state: ServiceState, detail: string, logPath: string): string | undefined => {
  if (state === 'waiting') return `${name}: ${detail}`
  if (state === 'failed') return `${name} failed (${detail}) and is not restarted; its log: ${logPath}`
  if (state === 'ended') return `${name}: ${detail}`
  if (state === 'running' && detail !== '') return `${name}: ${detail}`
  return undefined
}

export class Services {
  readonly #edge: SupervisedService | undefined
  readonly #consumers: readonly SupervisedService[]
  /** Undefined when panel.listen is empty. */
  readonly #panel: SupervisedService | undefined
  readonly #logs: ChildLog[] = []
  readonly #settled = Promise.withResolvers<void>()

  constructor({ config, edgeArgs, onLine }: ServicesOptions) {
    const configPath = join(config.stateDir, 'up.yaml')
    try {
      // JSON is valid YAML.
      writeFileSync(configPath, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 })
    } catch (cause) {
      throw cannotWrite(configPath, cause, 'choose another folder with --state-dir')
    }
    const env = environmentFor(process.env)
    const { listen } = config.metrics
    const create = (name: string, index: number, args: readonly string[]): SupervisedService => {
      // The edge has the configured port, the other services have the next ones.
      const metrics = listen === '' ? [] : ['--metrics-listen', withPortRaised(listen, index)]
      const isNews = newsFilter()
      const log = new ChildLog(join(config.stateDir, 'logs'), name, (text) => {
        if (isNews(text)) onLine(`${name}: ${text}`)
      })
      this.#logs.push(log)
      return new SupervisedService({
        name,
        // As the launcher sets it for `run edge`.
        nodeOptions: name === 'edge' ? ['--max-semi-space-size=2'] : [],
        args: ['run', name, '--config', configPath, ...metrics, ...args],
        env,
        onOutput: (chunk) => log.write(chunk),
        onState: (state, detail) => {
          const line = stateLine(name, state, detail, log.path)
          if (line !== undefined) onLine(line)
          if (this.all.every((service) => service.state !== 'starting')) this.#settled.resolve()
        }
      })
    }
    this.#edge = edgeArgs === undefined ? undefined : create('edge', 0, edgeArgs)
    this.#consumers = consumerNames.map((name, index) => create(name, index + 1, []))
    this.#panel = config.panel.listen === '' ? undefined : create('panel', consumerNames.length + 1, [])
  }

  get all(): readonly SupervisedService[] {
    return this.#panel === undefined ? this.essential : [...this.essential, this.#panel]
  }

  /** The edge and the consumers, whose counters make the summary. */
  get essential(): readonly SupervisedService[] {
    return this.#edge === undefined ? this.#consumers : [this.#edge, ...this.#consumers]
  }

  /** Starts all services; resolves when each is ready or has failed. */
  async start(): Promise<void> {
    for (const service of this.all) service.start()
    await this.#settled.promise
  }

  /** Stops the edge first, so that the consumers can read everything that it published, and the panel last. */
  async drain(): Promise<void> {
    await this.#edge?.drain(drainTimeoutMs)
    await Promise.all(this.#consumers.map((consumer) => consumer.drain(drainTimeoutMs)))
    await this.#panel?.drain(drainTimeoutMs)
    for (const log of this.#logs) log.close()
  }

  /** Ends a drain early. */
  stop(): void {
    for (const service of this.all) service.stop()
  }

  totals(): Totals {
    const { seen = 0, published = 0, published_earlier = 0, dropped = 0 } = this.#edge?.counters ?? {}
    const sum = (counter: string): number =>
      this.#consumers.reduce((total, consumer) => total + (consumer.counters[counter] ?? 0), 0)
    const slowest = Math.min(...this.#consumers.map((consumer) => consumer.counters['events'] ?? 0))
    return {
      seen,
      published,
      dropped,
      rollups: sum('rollups'),
      alerts: sum('alerts'),
      audit: sum('audit'),
      lag: Math.max(0, published + published_earlier - slowest)
    }
  }

  counts(): Pick<RunCounts, 'edge' | 'consumers'> {
    return {
      edge: this.#edge,
      consumers: Object.fromEntries(this.#consumers.map((service) => [service.name, service]))
    }
  }
}
