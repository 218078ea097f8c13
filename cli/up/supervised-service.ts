// One service as a child process: restarted with backoff when it dies, never running twice, its counters summed over
// restarts.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { DrainMessage, ServiceMessage } from '../../runtime/service.ts'
import { CounterSums, type Counters } from './counter-sums.ts'

export type ServiceState = 'idle' | 'starting' | 'running' | 'waiting' | 'draining' | 'ended' | 'failed' | 'stopped'

export interface SupervisedServiceOptions {
  readonly name: string
  /** Node options, in addition to those of this process. */
  readonly nodeOptions?: readonly string[]
  /** Arguments of the `ringside` command. */
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Called with the child's stderr. */
  readonly onOutput: (chunk: Buffer) => void
  /** @param detail the reason; of a running service its URL, if any */
  readonly onState: (state: ServiceState, detail: string) => void
  /** Delay before the first restart, 250 ms by default. It doubles up to 64 times this value. */
  readonly backoffMs?: number
  /** The program to run instead of the `ringside` command. */
  readonly program?: string
}

// Errors that a restart does not fix, by sysexits(3): usage, data, input, system, permission, configuration.
const permanentExitCodes = new Set([64, 65, 66, 71, 77, 78])
const longestBackoff = 64
/** After a life this long the backoff starts over. */
const steadyMs = 30_000
/** A child that has not stopped after this time is killed. */
const stopGraceMs = 10_000

const isServiceMessage = (message: unknown): message is ServiceMessage =>
  typeof message === 'object' && message !== null && 'type' in message && 'service' in message

export class SupervisedService {
  readonly name: string
  readonly #options: SupervisedServiceOptions
  readonly #sums = new CounterSums()
  readonly #gone = Promise.withResolvers<void>()
  #state: ServiceState = 'idle'
  #child: ChildProcess | undefined
  #startedAtMs = 0
  #failuresInRow = 0
  #restarts = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: SupervisedServiceOptions) {
    this.name = options.name
    this.#options = options
  }

  get state(): ServiceState {
    return this.#state
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  get restarts(): number {
    return this.#restarts
  }

  /** Sums over all restarts. */
  get counters(): Counters {
    return this.#sums.sums()
  }

  /** False after a process without a final report: the counters may be too low. */
  get complete(): boolean {
    return this.#sums.complete
  }

  start(): void {
    if (this.#state === 'idle') this.#spawn()
  }

  /**
   * Lets it finish its input and end; resolves when it is gone.
   * @param timeoutMs after this time it is stopped, and then killed
   */
  async drain(timeoutMs: number): Promise<void> {
    if (['idle', 'ended', 'failed', 'stopped'].includes(this.#state)) return
    // A service that waits for its restart has unfinished work: it is started once more.
    if (this.#state === 'waiting') this.#spawn()
    this.#enter('draining', '')
    const message: DrainMessage = { type: 'drain' }
    if (this.#child?.connected === true) this.#child.send(message, () => {})
    const deadline = setTimeout(() => this.stop(), timeoutMs)
    await this.#gone.promise
    clearTimeout(deadline)
  }

  /** Ends a drain early: the child stops, and is killed after stopGraceMs. */
  stop(): void {
    const child = this.#child
    if (child === undefined) return
    child.kill('SIGTERM')
    this.#timer = setTimeout(() => child.kill('SIGKILL'), stopGraceMs)
  }

  #enter(state: ServiceState, detail: string): void {
    this.#state = state
    this.#options.onState(state, detail)
  }

  #spawn(): void {
    clearTimeout(this.#timer)
    const program = this.#options.program ?? fileURLToPath(new URL('../main.ts', import.meta.url))
    // In a session of its own: Ctrl-C reaches only `up`, which stops the services in order.
    const child = fork(program, [...this.#options.args], {
      execArgv: [...process.execArgv, ...(this.#options.nodeOptions ?? [])],
      env: this.#options.env,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      detached: true
    })
    this.#child = child
    this.#startedAtMs = performance.now()
    this.#enter('starting', '')
    let ended = false
    child.stderr?.on('data', this.#options.onOutput)
    child.on('message', (message) => {
      if (!isServiceMessage(message)) return
      if (message.type === 'counters') this.#sums.report(message.counters)
      else if (message.type === 'ended') ended = true
      else if (this.#state === 'starting') this.#enter('running', message.url ?? '')
    })
    child.on('error', (error) => this.#onExit(child, error.message, undefined, ended))
    // `close` follows the last data of stderr and IPC: no final report is missed.
    child.on('close', (code, signal) =>
      this.#onExit(child, signal === null ? `exit code ${code}` : `killed by ${signal}`, code ?? undefined, ended)
    )
  }

  #onExit(child: ChildProcess, how: string, code: number | undefined, ended: boolean): void {
    if (this.#child !== child) return
    clearTimeout(this.#timer)
    this.#child = undefined
    this.#sums.endProcess(code === 0)
    if (this.#state === 'draining') this.#conclude('stopped', how)
    else if (ended && code === 0) this.#conclude('ended', 'end of input')
    else if (code !== undefined && permanentExitCodes.has(code)) this.#conclude('failed', how)
    else this.#restartLater(how)
  }

  #conclude(state: ServiceState, detail: string): void {
    this.#enter(state, detail)
    this.#gone.resolve()
  }

  #restartLater(how: string): void {
    const ranMs = performance.now() - this.#startedAtMs
    this.#failuresInRow = ranMs >= steadyMs ? 0 : this.#failuresInRow
    const delayMs = (this.#options.backoffMs ?? 250) * Math.min(2 ** this.#failuresInRow, longestBackoff)
    this.#failuresInRow += 1
    this.#restarts += 1
    this.#timer = setTimeout(() => this.#spawn(), delayMs)
    this.#enter('waiting', `${how}, restarting in ${(delayMs / 1000).toFixed(2)} s`)
  }
}
