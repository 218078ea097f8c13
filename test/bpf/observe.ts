// Runs one of programs/*.c under observation and returns its decoded events.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { eventClasses, eventField, eventFlag, knownCalls, recordKind } from '../../bpf/event.ts'
import { type LiveSource, type LiveSourceOptions, openLiveSource } from '../../producer/source/live-source.ts'
import { RawEvents } from '../../producer/source/raw-events.ts'
import type { Source, SourceStatistics } from '../../producer/source/source.ts'
import { eventKinds } from '../../wire/event-kind.ts'
import { kernelTests, kernelTimeoutMs } from '../support/kernel.ts'

const programsDir = join(import.meta.dirname, 'programs')
const buildDir = join(import.meta.dirname, '..', '..', 'build', 'test')

/** The reason that tests on a live kernel cannot run; false if they can. */
export const skip: string | false = kernelTests.skip

/** Compiles programs/`name`.c if it changed. Its process has the comm `rs-name`. Static, so that no loader makes calls. */
export const program = (name: string, ...flags: string[]): string => {
  const source = join(programsDir, `${name}.c`)
  const built = join(buildDir, commOf(name))
  if (!existsSync(built) || statSync(built).mtimeMs < statSync(source).mtimeMs) {
    mkdirSync(buildDir, { recursive: true })
    execFileSync('gcc', ['-O2', '-Wall', '-static', '-pthread', ...flags, source, '-o', built])
  }
  return built
}

/** Why programs/successor.c cannot choose a pid, or false. */
export const pidsAreGiven = (): string | false =>
  !existsSync('/proc/sys/kernel/ns_last_pid') && 'this kernel lets nobody choose a pid (CONFIG_CHECKPOINT_RESTORE)'

/** The comm of a process that runs `name`. */
export const commOf = (name: string): string => `rs-${name}`.slice(0, 15)

export interface Endpoint {
  readonly family: number
  readonly type: number
  readonly protocol: number
  readonly netns: number
  /** "127.0.0.1:80", "0:0:0:0:0:0:0:1:80"; a vsock's cid and port; '' for other families. */
  readonly local: string
  readonly remote: string
}

export interface Seen {
  readonly kind: string
  readonly call: string
  readonly class: string
  readonly cpu: number
  readonly nr: number
  readonly isCompat: boolean
  readonly seq: number
  readonly timeNs: number
  readonly durationNs: number
  readonly startNs: number
  readonly cgroupId: number
  readonly pid: number
  readonly tid: number
  readonly ppid: number
  readonly uid: number
  readonly euid: number
  readonly origin: number
  readonly originId: number
  readonly comm: string
  readonly ret: number
  readonly fd: number
  readonly path: string
  readonly extra: string
  readonly arg: number
  readonly target: number
  readonly reference: number
  readonly amount: number
  readonly messages: number
  readonly isEntered: boolean
  readonly isTruncated: boolean
  readonly isOpened: boolean
  readonly isDeleted: boolean
  readonly isAddressGiven: boolean
  readonly isArgumentChanged: boolean
  readonly socket: Endpoint | undefined
}

const address = (raw: RawEvents, family: number, at: number, port: number): string => {
  if (family === 2) return `${[...raw.bytes.subarray(at, at + 4)].join('.')}:${port}`
  if (family === 40) return `${raw.u32(at)}:${port}`
  if (family !== 10) return ''
  const groups = Array.from({ length: 8 }, (_, index) => raw.bytes.readUInt16BE(at + 2 * index).toString(16))
  return `${groups.join(':')}:${port}`
}

const endpoint = (raw: RawEvents, at: number): Endpoint => {
  const family = raw.u16(at + eventField.socketFamily)
  return {
    family,
    type: raw.u16(at + eventField.socketType),
    protocol: raw.u16(at + eventField.socketProtocol),
    netns: raw.u32(at + eventField.socketNetns),
    local: address(raw, family, at + eventField.socketLocalAddress, raw.u32(at + eventField.socketLocalPort)),
    remote: address(raw, family, at + eventField.socketRemoteAddress, raw.u32(at + eventField.socketRemotePort))
  }
}

const decode = (raw: RawEvents, at: number): Seen => {
  const flags = raw.u8(at + eventField.flags)
  return {
    kind: eventKinds[raw.u8(at + eventField.kind)] ?? '?',
    call: knownCalls[raw.u8(at + eventField.call)] ?? '?',
    class: eventClasses[raw.u8(at + eventField.eventClass)] ?? '?',
    cpu: raw.u16(at + eventField.cpu),
    nr: raw.u16(at + eventField.nr),
    isCompat: (flags & eventFlag.isCompat) !== 0,
    seq: raw.u64(at + eventField.seq),
    timeNs: raw.u64(at + eventField.timeNs),
    durationNs: raw.u64(at + eventField.durationNs),
    startNs: raw.u64(at + eventField.startNs),
    cgroupId: raw.u64(at + eventField.cgroupId),
    pid: raw.u32(at + eventField.pid),
    tid: raw.u32(at + eventField.tid),
    ppid: raw.u32(at + eventField.ppid),
    uid: raw.u32(at + eventField.uid),
    euid: raw.u32(at + eventField.euid),
    origin: raw.u32(at + eventField.origin),
    originId: raw.u64(at + eventField.originId),
    comm: raw.comm(at),
    ret: raw.i64(at + eventField.ret),
    fd: raw.i32(at + eventField.fd),
    path: raw.path(at),
    extra: raw.extra(at),
    arg: raw.u32(at + eventField.arg),
    target: raw.i32(at + eventField.target),
    reference: raw.i32(at + eventField.reference),
    amount: raw.u64(at + eventField.amount),
    messages: raw.u16(at + eventField.messages),
    isEntered: raw.u8(at + eventField.notEntered) === 0,
    isTruncated: (flags & eventFlag.pathTruncated) !== 0,
    isOpened: (flags & eventFlag.pathOpened) !== 0,
    isDeleted: (flags & eventFlag.pathDeleted) !== 0,
    isAddressGiven: (flags & eventFlag.addressGiven) !== 0,
    isArgumentChanged: (flags & eventFlag.argumentChanged) !== 0,
    socket: flags & eventFlag.hasSocket ? endpoint(raw, at) : undefined
  }
}

/** Reads all events, without summaries. */
export const drain = (source: Source): Seen[] => {
  const batch = new Uint8Array(1 << 20)
  const raw = new RawEvents(batch)
  const seen: Seen[] = []
  for (let bytes = source.read(batch); bytes > 0; bytes = source.read(batch)) {
    for (let at = 0; at < bytes; at += raw.u32(at)) {
      if (raw.u8(at + eventField.kind) !== recordKind.summary) seen.push(decode(raw, at))
    }
  }
  return seen
}

export interface Outcome {
  readonly pid: number
  readonly code: number | null
  readonly stdout: string
}

/** Runs an executable to its end. */
export const run = (path: string, ...args: string[]): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    // One that hangs would keep the test's process for ever.
    const limit = { timeout: kernelTimeoutMs, killSignal: 'SIGKILL' } as const
    const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'inherit'], ...limit })
    let stdout = ''
    child.stdout.on('data', (text: Buffer) => {
      stdout += text.toString()
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ pid: child.pid ?? 0, code, stdout }))
  })

export const quiet: LiveSourceOptions = {
  processRingBytes: 1 << 22,
  securityRingBytes: 1 << 22,
  ringBytes: 1 << 22,
  calls: { read: 'emit', write: 'emit' },
  processEventsPerSecond: 0,
  pids: [],
  comms: [],
  cgroups: [],
  ignoreFamily: false
}

export interface Observation<T> {
  readonly events: readonly Seen[]
  readonly statistics: SourceStatistics
  readonly result: T
}

/** Observes while `work` runs, by default the whole machine. */
export const observe = async <T>(
  options: Partial<LiveSourceOptions>,
  work: (source: LiveSource) => Promise<T>
): Promise<Observation<T>> => {
  const source = await openLiveSource({ ...quiet, ...options })
  try {
    const result = await work(source)
    await source.detach()
    return { events: drain(source), statistics: source.statistics(), result }
  } finally {
    source.close()
  }
}

/** Observes one run of programs/`name`.c, from its exec to its end. */
export const observeProgram = async (name: string, ...args: string[]): Promise<Observation<Outcome>> => {
  const path = program(name)
  return observe({ comms: [commOf(name)] }, () => run(path, ...args))
}

/** Runs a program that has the pid of an ended process. */
export const succeed = async (pid: number, ...command: string[]): Promise<void> => {
  for (let tries = 0; tries < 20; tries++) {
    const { code } = await run(program('successor'), String(pid), ...command)
    if (code === 0) return
    // Another process has the number, perhaps the runner itself.
    if (code !== 5) throw new Error(`programs/successor.c ended with code ${code}`)
  }
  throw new Error(`pid ${pid} does not become free`)
}

/** The system calls of one name, in order. */
export const callsOf = (events: readonly Seen[], call: string): Seen[] =>
  events.filter((event) => event.kind === 'syscall' && event.call === call)

/** The events of another kind, in order. */
export const kindsOf = (events: readonly Seen[], kind: string): Seen[] => events.filter((event) => event.kind === kind)
