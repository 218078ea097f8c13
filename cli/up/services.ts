// The services of one `up` as supervised children that share one written configuration.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../runtime/config.ts'
import { withPortRaised } from '../../runtime/listen.ts'
import { ChildLog } from './child-log.ts'
import type { Totals } from './status-line.ts'
import type { Tallies } from './summary.ts'
import { type ServiceState, SupervisedService } from './supervised-service.ts'

/** Those that read all that the edge publishes, so that their counts can be held against its own. */
export const consumerNames = ['rollups', 'alerts', 'audit'] as const

export interface ServicesOptions {
  readonly config: Config
  /** Arguments of `run edge`; undefined runs no edge. */
  readonly edgeArgs: readonly string[] | undefined
  readonly onLine: (text: string) => void
}

/** Worst case of a drain on a slow disk; typically a second. */
const drainTimeoutMs = 60_000

/** Everything but what the written configuration says already: flags of `up` must win over its environment. */
const environmentFor = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(
    Object.entries(env).filter(([name]) => !name.startsWith('RINGSIDE_') || name === 'RINGSIDE_LOG_LEVEL')
  )

/** A service that tries again and again says the same each time: once in this time is enough. */
const sameNoteEveryMs = 30_000

/** Whether a text differs from the last one, or that is long enough ago. */
const newsFilter = (): ((text: string) => boolean) => {
  let last = ''
  let saidAtMs = 0
  return (text) => {
    if (text === last && performance.now() - saidAtMs < sameNoteEveryMs) return false
    last = text
    saidAtMs = performance.now()
    return true
  }
}

const stateLine = (name: string, state: ServiceState, detail: string, logPath: string): string | undefined => {
  if (state === 'waiting') return `${name}: ${detail}`
  if (state === 'failed') return `${name} failed (${detail}) and is not started again; its log: ${logPath}`
  if (state === 'ended') return `${name}: ${detail}`
  if (state === 'running' && detail !== '') return `${name}: ${detail}`
  return undefined
}

export class Services {
  readonly #edge: SupervisedService | undefined
  readonly #consumers: readonly SupervisedService[]
  /** Undefined when it is to listen nowhere. */
  readonly #panel: SupervisedService | undefined
  readonly #logs: ChildLog[] = []
  readonly #settled = Promise.withResolvers<void>()

  constructor({ config, edgeArgs, onLine }: ServicesOptions) {
    const configPath = join(config.stateDir, 'up.yaml')
    mkdirSync(config.stateDir, { recursive: true })
    // JSON is YAML.
    writeFileSync(configPath, `${JSON.stringify(config, undefined, 2)}\n`, { mode: 0o600 })
    const env = environmentFor(process.env)
    const { listen } = config.metrics
    const create = (name: string, index: number, args: readonly string[]): SupervisedService => {
      // A port for each: the edge has the configured one, the consumers those after it.
      const metrics = listen === '' ? [] : ['--metrics-listen', withPortRaised(listen, index)]
      const isNews = newsFilter()
      const log = new ChildLog(join(config.stateDir, 'logs'), name, (text) => {
        if (isNews(text)) onLine(`${name}: ${text}`)
      })
      this.#logs.push(log)
      return new SupervisedService({
        name,
        // As the launcher has it for `run edge`.
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
    return this.#panel === undefined ? this.counted : [...this.counted, this.#panel]
  }

  /** Those whose counts make the summary: without them the run is not whole. */
  get counted(): readonly SupervisedService[] {
    return this.#edge === undefined ? this.#consumers : [this.#edge, ...this.#consumers]
  }

  /** Starts all; resolves when each is ready, or known not to be. */
  async start(): Promise<void> {
    for (const service of this.all) service.start()
    await this.#settled.promise
  }

  /** The edge first, so that the consumers' end is the end of what it published; the panel shows it to the last. */
  async drain(): Promise<void> {
    await this.#edge?.drain(drainTimeoutMs)
    await Promise.all(this.#consumers.map((consumer) => consumer.drain(drainTimeoutMs)))
    await this.#panel?.drain(drainTimeoutMs)
    for (const log of this.#logs) log.close()
  }

  hurry(): void {
    for (const service of this.all) service.hurry()
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

  tallies(): Pick<Tallies, 'edge' | 'consumers'> {
    return {
      edge: this.#edge,
      consumers: Object.fromEntries(this.#consumers.map((service) => [service.name, service]))
    }
  }
}
