// Runs the command line as a user would, as a process of its own.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { endWithProcess } from './end-with-process.ts'
import { freePort } from './free-port.ts'

const launcher = join(import.meta.dirname, '../../cli/ringside')

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcess
  /** Its output so far. */
  readonly output: { stdout: string; stderr: string }
  readonly finished: Promise<Finished>
}

export const startRingside = (args: readonly string[], env: Record<string, string> = {}): Running =>
  startCommand(launcher, args, env)

/** As startRingside(), through a command that executes it. */
export const startCommand = (command: string, args: readonly string[], env: Record<string, string>): Running => {
  // An edge must not take over from the killed edge of another test.
  const alone = { RINGSIDE_PIN_DIR: '' }
  const child = spawn(command, args, { env: { ...process.env, ...alone, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  const cancel = endWithProcess(() => child.kill('SIGTERM'))
  const finished = once(child, 'close').then(([code]) => {
    cancel()
    return { code: code as number | null, ...output }
  })
  return { child, output, finished }
}

/** Runs a verb to its end, and returns its stdout; rejects with its stderr when it fails. */
export const runRingside = async (args: readonly string[], env: Record<string, string> = {}): Promise<string> => {
  const { code, stdout, stderr } = await startRingside(args, env).finished
  if (code !== 0) throw new Error(`ringside ${args.join(' ')} exited with ${code}:\n${stderr}`)
  return stdout
}

/** Rows of `ringside tail TOPIC --format json` with these options. */
export const tailRows = async (
  topic: string,
  args: readonly string[],
  env: Record<string, string>
): Promise<Record<string, unknown>[]> => {
  const text = await runRingside(['tail', topic, '--format', 'json', ...args], env)
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** The highest revision of each row of the rollups topic. */
export const latestRevisions = (rows: readonly Record<string, unknown>[]): Record<string, unknown>[] => {
  const names = ['host', 'window_ms', 'window_start', 'by', 'workload', 'pid', 'start_us', 'go_function', 'syscall']
  const latest = new Map<string, Record<string, unknown>>()
  for (const row of rows) {
    const key = JSON.stringify(names.map((name) => row[name]))
    if (Number(latest.get(key)?.['revision'] ?? 0) < Number(row['revision'])) latest.set(key, row)
  }
  return [...latest.values()]
}

/** Waits until `ask` returns something other than undefined; after `seconds` it fails and names `what`. */
export const eventually = async <T>(
  what: string,
  seconds: number,
  ask: () => T | undefined | Promise<T | undefined>
) => {
  const deadline = Date.now() + seconds * 1000
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/**
 * Waits until an `up` has printed its first events, and fails with its stderr otherwise. Runs programs meanwhile: an
 * idle machine emits no event for minutes.
 */
export const firstEventsOf = async ({ child, output }: Running): Promise<void> => {
  const isOver = (): boolean => child.exitCode !== null || child.signalCode !== null
  const isThere = await eventually('first events', 120, () => {
    if (isOver()) return false
    spawnSync('true')
    return /first events/i.test(output.stderr) || undefined
  }).catch(() => false)
  if (!isThere) throw new Error(`no first events of an \`up\` that ${isOver() ? 'ended' : 'runs'}:\n${output.stderr}`)
}

/** Starts an `up` on free ports and waits for its first events; it ends with the test at the latest. */
export const startUp = async (
  context: TestContext,
  env: Record<string, string>,
  ...more: readonly string[]
): Promise<Running> => {
  const ports = ['--panel-listen', '0', '--kafka-port', String(await freePort())]
  const up = startRingside(['up', ...ports, '--format', 'json', ...more], env)
  context.after(() => up.child.kill('SIGTERM'))
  await firstEventsOf(up)
  return up
}

export const temporaryDirectory = (context: TestContext, prefix: string): string => {
  const path = mkdtempSync(join(tmpdir(), `ringside-${prefix}-`))
  const remove = () => rmSync(path, { recursive: true, force: true })
  context.after(remove)
  // Again at the end: a process that the test started may have written into it meanwhile.
  endWithProcess(remove)
  return path
}

/** A file of a process or thread in /proc; undefined when that has ended. */
export const readOfProcess = (path: string): string | undefined => {
  try {
    return readFileSync(`/proc/${path}`, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}

/** The running children of a process, with their command lines. */
export const childrenOf = (pid: number): { pid: number; command: string }[] =>
  (readOfProcess(`${pid}/task/${pid}/children`) ?? '')
    .split(' ')
    .filter((text) => text !== '')
    .flatMap((text) => {
      const command = readOfProcess(`${text}/cmdline`)
      return command === undefined ? [] : { pid: Number(text), command: command.replaceAll('\0', ' ') }
    })
