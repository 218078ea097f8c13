// Child processes of a benchmark: a real edge, an HTTP server and its load, a tracer.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RingsideError } from '../runtime/errors.ts'

const root = join(import.meta.dirname, '..')
const buildDir = join(root, 'build', 'bench')

export const isInstalled = (command: string): boolean =>
  spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0

/** Go's, also where it was unpacked as its makers say and is in no PATH. */
const go = (): string => {
  const unpacked = '/usr/local/go/bin/go'
  if (isInstalled('go')) return 'go'
  if (existsSync(unpacked)) return unpacked
  throw new RingsideError('OS', 'needs Go 1.25 or newer: https://go.dev/doc/install')
}

/** Compiles bench/`name`.go; returns the program's path. */
export const compileGo = (name: string): string => {
  const built = join(buildDir, `rs-${name}`)
  mkdirSync(buildDir, { recursive: true })
  execFileSync(go(), ['build', '-o', built, join(import.meta.dirname, `${name}.go`)], { stdio: 'inherit' })
  return built
}

export interface Started {
  readonly pid: number
  /** Signals, and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

const started = (child: ChildProcess): Started => {
  const closed = once(child, 'close')
  return {
    pid: child.pid ?? 0,
    stop: async (signal = 'SIGINT') => {
      child.kill(signal)
      // bpftrace overlooks a signal that comes between two of its waits; an edge would take the third for its end
      const again = child.spawnfile === 'bpftrace' ? setInterval(() => child.kill(signal), 500) : undefined
      await closed
      clearInterval(again)
    }
  }
}

/** Starts a program and waits until `isReady` of what it has written to stdout and stderr. */
export const startProcess = async (
  command: readonly string[],
  isReady: (output: string) => boolean
): Promise<Started & { readonly output: string }> => {
  const [program = '', ...args] = command
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let output = ''
  let ready: () => void = () => {}
  const readied = new Promise<void>((resolve) => {
    ready = resolve
  })
  const take = (text: string): void => {
    if (output.length < 1 << 20) output += text
    if (isReady(output)) ready()
  }
  child.stdout.setEncoding('utf8').on('data', take)
  child.stderr.setEncoding('utf8').on('data', take)
  const failed = once(child, 'close').then(() => {
    throw new RingsideError('OS', `${command.join(' ')} ended before it was ready: ${output}`)
  })
  await Promise.race([readied, failed])
  failed.catch(() => {})
  return { ...started(child), output }
}

/** `ringside run edge` in its default configuration, but for a state and pins of its own. */
export const startRealEdge = async (brokers: readonly string[], stateDir: string): Promise<Started> => {
  const file = join(stateDir, 'ringside.yaml')
  const pinDir = `/sys/fs/bpf/ringside-bench-${process.pid}`
  writeFileSync(file, JSON.stringify({ brokers, stateDir, edge: { pinDir } }))
  const command = [join(root, 'cli', 'ringside'), 'run', 'edge', '--config', file]
  const edge = await startProcess(command, (output) => output.includes('ready'))
  return {
    ...edge,
    stop: async (signal) => {
      await edge.stop(signal)
      rmSync(pinDir, { recursive: true, force: true })
    }
  }
}

/** Starts the Go server; `address` is host:port. */
export const startServer = async (program: string): Promise<Started & { readonly address: string }> => {
  const server = await startProcess([program], (output) => output.includes('\n'))
  return { ...server, address: server.output.trim() }
}

export interface Load {
  readonly requests: number
  readonly requestsPerConnection: number
  /** 0: as many as go. */
  readonly requestsPerSecond: number
}

/** Makes the requests; resolves when all are answered, with how many were a second. */
export const runLoad = async (program: string, address: string, load: Load): Promise<number> => {
  const { requests, requestsPerConnection, requestsPerSecond } = load
  const args = [address, requests, requestsPerConnection, requestsPerSecond].map(String)
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new RingsideError('SOFTWARE', `the load ended with code ${code}`)
  return Number(output)
}

/** Microseconds of CPU time that a process and all its threads have used, those that have ended included. */
export const cpuTimeUs = (pid: number): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // behind the name in brackets; utime and stime are fields 14 and 15, in hundredths of a second
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}
