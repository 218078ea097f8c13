// Random streams of batches for tests of rollups, and the sums of each window, recomputed from all calls at once.
import assert from 'node:assert/strict'
import { bytesMoved } from '../../../wire/bytes-moved.ts'
import { errnoName } from '../../../wire/errno.ts'
import { indexOf } from '../../../wire/log-linear.ts'
import type { Bucket, ErrnoCount, Event, EventBatch, Rollup, Summary } from '../../../wire/types.ts'
import { verdictOfErrno } from '../../../wire/verdict.ts'
import { batchOf, eventOf, processOf, summaryOf } from './batches.ts'
import { random } from './random.ts'

export const epochUs = 1_767_225_600_000_000
export const syscalls = ['read', 'write', 'openat', 'connect']

type Random = () => number
export const pick = (next: Random, below: number): number => Math.floor(next() * below)

/** Counts of each number. */
export const tallied = (values: readonly number[]): Bucket[] =>
  [...Map.groupBy(values, (value) => value)]
    .map(([index, { length: count }]) => ({ index, count }))
    .sort((a, b) => a.index - b.index)

/** Counts of each error number, as rows have them. */
export const namedErrnos = (errnos: readonly number[]): ErrnoCount[] =>
  tallied(errnos).map(({ index, count }) => ({ errno: errnoName(-index) ?? assert.fail(), count }))

/** A summary of calls, as the kernel would count them. */
export const summarize = (calls: readonly Pick<Event, 'duration_ns' | 'ret'>[], fields: Partial<Summary>): Summary =>
  summaryOf({
    count: calls.length,
    errors: calls.filter(({ ret }) => ret < 0).length,
    total_ns: calls.reduce((sum, { duration_ns }) => sum + duration_ns, 0),
    bytes: calls.reduce((sum, { ret }) => sum + (bytesMoved(fields.syscall ?? 'read', ret) ?? 0), 0),
    latency: tallied(calls.map(({ duration_ns }) => indexOf(duration_ns))),
    sizes: [],
    errnos: tallied(calls.flatMap(({ ret }) => (ret < 0 ? -ret : []))),
    ...fields
  })

/** The calls of each generated summary. */
const countedCalls = new Map<Summary, readonly Pick<Event, 'duration_ns' | 'ret'>[]>()

/** Appends the rows of earlier batches to a batch with another clock, as an edge does that took over. */
const withRowsOf = (batch: EventBatch, earlier: readonly EventBatch[]): EventBatch => {
  const again = { ...batch, processes: [...batch.processes], stacks: [...batch.stacks] }
  again.events = [...batch.events]
  again.summaries = [...batch.summaries]
  for (const { clock, processes, stacks, events, summaries } of earlier) {
    const moved = <Of extends Event | Summary>(of: Of): Of => ({
      ...of,
      process: of.process + again.processes.length,
      time_offset_ns: of.time_offset_ns + (clock.wall_us - batch.clock.wall_us) * 1000
    })
    const { length } = again.stacks
    again.events.push(
      ...events.map((event) => ({ ...moved(event), stack: event.stack < 0 ? -1 : event.stack + length }))
    )
    for (const summary of summaries) {
      const copy = moved(summary)
      countedCalls.set(copy, countedCalls.get(summary) ?? assert.fail())
      again.summaries.push(copy)
    }
    again.processes.push(...processes)
    again.stacks.push(...stacks)
  }
  return again
}

const randomResult = (next: Random): number => {
  if (next() > 0.2) return pick(next, 4096)
  return next() < 0.5 ? -11 : next() < 0.5 ? -4 : -9
}

const randomSummary = (next: Random, processes: number): Summary => {
  const calls = Array.from({ length: 1 + pick(next, 50) }, () => ({
    duration_ns: 1 + pick(next, 2 ** pick(next, 33)),
    ret: randomResult(next)
  }))
  const summary = summarize(calls, {
    process: pick(next, processes),
    syscall: syscalls[pick(next, syscalls.length)] as string,
    time_offset_ns: -pick(next, 1e8),
    duration_ns: next() < 0.1 ? 5e9 : 1e9
  })
  countedCalls.set(summary, calls)
  return summary
}

/**
 * Batches of several hosts and runs over somewhat more than a minute; events up to `latestMs` out of order, some batches
 * twice; processes that become other programs; every run ends in order, or is taken over by one that sends again what its
 * last batches held.
 */
export const streamOf = (seed: number, latestMs = 4000): EventBatch[] => {
  const next = random(seed)
  const log: EventBatch[] = []
  const hosts = Array.from({ length: 3 }, (_, i) => ({
    name: `host-${i}`,
    nowUs: pick(next, 1e6),
    run: 1,
    batch: 0,
    dead: [] as EventBatch[],
    recent: [] as EventBatch[]
  }))
  for (let i = 0; i < 400; i++) {
    const host = hosts[pick(next, hosts.length)] as (typeof hosts)[number]
    host.nowUs += pick(next, 1_000_000)
    host.batch++
    const processes = Array.from({ length: 4 }, () => {
      const pid = 100 + pick(next, 6)
      const container_id = pid === 100 ? 'container-1' : null
      return processOf({ pid, start_us: pid * 1000, comm: `c${pid}`, exe: `/bin/${pick(next, 2)}`, container_id })
    })
    const stacks = ['main.main', 'main.serve', null].map((go_function) => ({ go_function, go_file: null, go_line: 0 }))
    const final = i >= 400 - 3 || next() < 0.02
    const summaries = Array.from({ length: pick(next, 3) }, () => randomSummary(next, processes.length))
    const made = batchOf({
      host: host.name,
      run: `${host.name}-${host.run}`,
      batch: host.batch,
      continues: host.dead[0] === undefined ? null : { run: host.dead[0].run, batch: host.dead[0].batch - 1 },
      final,
      clock: { monotonic_us: 1e9 + host.nowUs, wall_us: epochUs + host.nowUs },
      counted_until_us: seed % 3 === 0 ? -1 : 1e9 + host.nowUs - pick(next, 1e6),
      drops: next() < 0.1 ? [{ class: 'file', reason: 'ring_full', count: 1 + pick(next, 9) }] : [],
      processes,
      stacks,
      summaries,
      events: Array.from({ length: pick(next, 30) }, () =>
        eventOf({
          kind: next() < 0.1 ? 'exec' : 'syscall',
          syscall: syscalls[pick(next, syscalls.length)] as string,
          process: pick(next, processes.length),
          stack: pick(next, 4) - 1,
          time_offset_ns: -pick(next, next() < 0.1 ? Math.min(latestMs * 1e6, host.nowUs * 1000) : 1e8),
          duration_ns: pick(next, 2 ** pick(next, 33)),
          ret: randomResult(next)
        })
      )
    })
    const batch = withRowsOf(made, host.dead)
    log.push(batch)
    if (next() < 0.05) log.push(batch)
    host.dead = []
    host.recent = [...host.recent.slice(-4), batch]
    const dies = !final && next() < 0.05
    if (dies) host.dead = host.recent.slice(-1 - pick(next, host.recent.length))
    if (dies || final) {
      host.run++
      host.batch = 0
      host.recent = []
    }
  }
  for (const host of hosts) {
    const clock = { monotonic_us: 1e9 + host.nowUs, wall_us: epochUs + host.nowUs }
    log.push(batchOf({ host: host.name, run: `${host.name}-${host.run}`, batch: host.batch + 1, final: true, clock }))
  }
  return log
}

/** Rows with one key are revisions of each other. */
export const rowKeyOf = (row: Omit<Rollup, 'count'>): string =>
  [row.window_ms, row.window_start, row.by, row.host, row.workload, row.pid, row.go_function, row.syscall].join(' ')

export const highestRevisions = (rows: readonly Rollup[]): Map<string, Rollup> => {
  const highest = new Map<string, Rollup>()
  for (const row of rows) {
    if (row.revision >= (highest.get(rowKeyOf(row))?.revision ?? 0)) highest.set(rowKeyOf(row), row)
  }
  return highest
}

export interface Truth {
  /** Calls from summaries: their highest duration is known to its bucket only. */
  counted: number
  count: number
  failed: number
  expected: number
  interrupted: number
  bytes: number
  total_ns: number
  durations: number[]
  errnos: number[]
}

/** Sums of every row of a stream's windows, each call counted once; by rowKeyOf(). */
export const recompute = (log: readonly EventBatch[], windowsMs: readonly number[]): Map<string, Truth> => {
  const rows = new Map<string, Truth>()
  const seen = new Set<string>()
  const add = (batch: EventBatch, of: Event | Summary, offsetNs: number): void => {
    const name = `${'count' in of ? -1 : of.cpu} ${of.seq}`
    if (seen.has(name)) return
    seen.add(name)
    const { pid, container_id, exe } = batch.processes[of.process] ?? assert.fail()
    const timeUs = batch.clock.wall_us + Math.floor(offsetNs / 1000)
    const goFunction = 'stack' in of ? (batch.stacks[of.stack]?.go_function ?? null) : null
    for (const [i, windowMs] of windowsMs.entries()) {
      const window = `${windowMs} ${Math.floor(timeUs / windowMs / 1000) * windowMs * 1000}`
      const key = (by: string, pid: number, goFunction: string | null) =>
        [window, by, batch.host, container_id ?? exe, pid, goFunction, of.syscall].join(' ')
      const keys = [key('workload', 0, null)]
      if (i === 0) keys.push(key('process', pid, null))
      if (i === 0 && goFunction !== null) keys.push(key('go_function', 0, goFunction))
      for (const key of keys) addTo(key, of)
    }
  }
  const addTo = (key: string, of: Event | Summary): void => {
    const sums = { counted: 0, count: 0, failed: 0, expected: 0, interrupted: 0, bytes: 0, total_ns: 0 }
    const truth: Truth = rows.get(key) ?? { ...sums, durations: [], errnos: [] }
    rows.set(key, truth)
    if ('count' in of) truth.counted += of.count
    for (const { ret, duration_ns } of 'count' in of ? (countedCalls.get(of) ?? assert.fail()) : [of]) {
      truth.count++
      if (ret < 0) truth[verdictOfErrno(of.syscall, -ret)]++
      if (ret < 0) truth.errnos.push(-ret)
      truth.bytes += bytesMoved(of.syscall, ret) ?? 0
      truth.total_ns += duration_ns
      truth.durations.push(duration_ns)
    }
  }
  for (const batch of log) {
    for (const event of batch.events) if (event.kind === 'syscall') add(batch, event, event.time_offset_ns)
    for (const summary of batch.summaries) add(batch, summary, summary.time_offset_ns - 500_000_000)
  }
  return rows
}
