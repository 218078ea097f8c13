// One service as a child process, for as long as it is wanted: started again with backoff when it
// dies, never twice at once, its counters summed over its incarnations.
import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { DrainMessage, ServiceMessage } from '../../runtime/service.ts'
import { CounterSums, type Counters } from './counter-sums.ts'

export type ServiceState = 'idle' | 'starting' | 'running' | 'waiting' | 'draining' | 'ended' | 'failed' | 'stopped'

export interface SupervisedServiceOptions {
  readonly name: string
  /** Options of Node itself, beside those of this process. */
  readonly nodeOptions?: readonly string[]
  /** Arguments of the `ringside` command. */
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** A piece of the child's stderr. */
  readonly onOutput: (chunk: Buffer) => void
  /** The detail: why, or of one that runs where people find it. */
  readonly onState: (state: ServiceState, detail: string) => void
  /** Delay before the first restart; it doubles up to 64 times this. Typically 250 ms. */
  readonly backoffMs?: number
  /** The program to run instead of the `ringside` command. */
  readonly program?: string
}

// What a new try cannot mend, by sysexits(3): usage, data, input, system, permission, configuration.
const permanentExitCodes = new Set([64, 65, 66, 71, 77, 78])
const longestBackoff = 64
/** A child that ran this long earns a fresh backoff. */
const steadyMs = 30_000
/** How long a stopped child may take before it is killed. */
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

  /** Summed over all incarnations. */
  get counters(): Counters {
    return this.#sums.sums()
  }

  /** False once an incarnation ended without its final report: the sums can then be short. */
  get complete(): boolean {
    return this.#sums.complete
  }

  start(): void {
    if (this.#state === 'idle') this.#spawn()
  }

  /**
   * Lets it finish everything that is there, then end; resolves when it is gone.
   * @param timeoutMs after this it is stopped, and soon after that killed
   */
  async drain(timeoutMs: number): Promise<void> {
    if (['idle', 'ended', 'failed', 'stopped'].includes(this.#state)) return
    // One that waits for its restart has work left: it is started once more to finish it.
    if (this.#state === 'waiting') this.#spawn()
    this.#enter('draining', '')
    const message: DrainMessage = { type: 'drain' }
    if (this.#child?.connected === true) this.#child.send(message, () => {})
    const deadline = setTimeout(() => this.hurry(), timeoutMs)
    await this.#gone.promise
    clearTimeout(deadline)
  }

  /** Cuts a drain short: the child stops, and is killed when it does not. */
  hurry(): void {
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
    // A session of its own: Ctrl-C reaches only `up`, which then ends everything in order.
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
    // `close` comes after the last of stderr and IPC, so no final report is missed.
    child.on('close', (code, signal) =>
      this.#onExit(child, signal === null ? `exit code ${code}` : `killed by ${signal}`, code ?? undefined, ended)
    )
  }

  #onExit(child: ChildProcess, how: string, code: number | undefined, ended: boolean): void {
    if (this.#child !== child) return
    clearTimeout(this.#timer)
    this.#child = undefined
    this.#sums.endIncarnation(code === 0)
    if (this.#state === 'draining') this.#conclude('stopped', how)
    else if (ended && code === 0) this.#conclude('ended', 'its input is at its end')
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
    this.#enter('waiting', `${how}; starts again in ${(delayMs / 1000).toFixed(2)} s`)
  }
}
