// The values of a decoded batch, checked completely and once, before a handler sees them. A batch whose header contradicts
// itself, or that has no row that does not, is refused; any other row that does is rejected alone.
import { RingsideError } from '../../runtime/errors.ts'
import { maxLong } from '../../wire/bounded.ts'
import type { ColumnBatch } from '../../wire/columns.ts'
import { lastIndex } from '../../wire/log-linear.ts'
import { isVsock } from '../../wire/socket-names.ts'
import type { Bucket, EventBatch, Process, Socket, Stack } from '../../wire/types.ts'
import { keepColumns } from './keep-columns.ts'
import { maxCpus } from './number-ranges.ts'

/** Rows of a batch that were left out. */
export interface Rejected {
  readonly rows: number
  /** All rows of the batch. */
  readonly of: number
  /** Of the first. */
  readonly reason: string
}

type Header = Omit<EventBatch, 'events' | 'summaries' | 'sockets'>

/** Calls of a process in one summary, or lost events in one batch: a million a second for twelve days. */
const maxCount = 2 ** 40
/** Year 2112: no sum with an offset in nanoseconds is beyond maxLong. */
const maxTimeUs = 2 ** 52
/** Characters. Linux has 15 of a thread's name, and 4,096 of a path. */
const maxName = 256
const maxPath = 16_384

const isWithin = (value: number, min: number, max: number): boolean => value >= min && value <= max

const isText = (text: string | null, max: number): boolean => text === null || text.length <= max

const headerProblem = ({ host, boot, run, agent, batch, continues, clock, ...rest }: Header): string | undefined => {
  const names = { host, boot, run, agent, predecessor: continues?.run ?? 'none' }
  for (const [name, text] of Object.entries(names)) {
    if (!isWithin(text.length, 1, maxName)) return `${name} of ${text.length} characters`
  }
  if (!isWithin(batch, 0, maxLong) || !isWithin(continues?.batch ?? 0, 0, maxLong)) return 'an impossible number'
  const { monotonic_us, wall_us } = clock
  if (!isWithin(wall_us, 0, maxTimeUs)) return `the impossible wall clock ${wall_us} µs`
  for (const time of [monotonic_us, rest.counted_until_us, rest.ledger?.monotonic_us ?? 0]) {
    if (!isWithin(time, -1, maxTimeUs)) return `the impossible time ${time} µs`
  }
  for (const { cpu, first, last } of rest.sequences) {
    if (!isWithin(cpu, -1, maxCpus - 1) || !isWithin(first, 0, maxLong) || !isWithin(last, first - 1, maxLong)) {
      return `the impossible sequence ${first}…${last} of CPU ${cpu}`
    }
  }
  for (const { count } of rest.drops) if (!isWithin(count, 0, maxCount)) return `${count} drops`
  for (const row of rest.ledger?.classes ?? []) {
    for (const count of [row.off, row.counted, row.emitted, row.dropped, row.published, row.spooled]) {
      if (!isWithin(count, -1, maxLong)) return `a ledger that counts ${count}`
    }
  }
  return undefined
}

const isProcess = ({ pid, start_us, comm, exe, container_id }: Process): boolean =>
  isWithin(pid, 0, maxLong) &&
  isWithin(start_us, 0, maxLong) &&
  isText(comm, maxName) &&
  isText(exe, maxPath) &&
  isText(container_id, maxName)

const isStack = ({ go_function, go_file }: Stack): boolean => isText(go_function, maxPath) && isText(go_file, maxPath)

/** Ports of a vsock have 32 bits. */
const isSocket = ({ family, local_address, local_port, remote_address, remote_port }: Socket): boolean =>
  [local_address, remote_address].every(({ length }) => length === 0 || length === 4 || length === 16) &&
  [local_port, remote_port].every((port) => isWithin(port, 0, isVsock(family) ? 2 ** 32 - 1 : 65_535))

/** Checks the rows of one batch. Each check returns what a row has that is impossible, or undefined. */
class RowChecks {
  readonly #processes: readonly boolean[]
  readonly #stacks: readonly boolean[]
  readonly #sockets: readonly boolean[] | undefined
  readonly rejected = { rows: 0, reason: '' }

  /** @param sockets undefined where rows have none */
  constructor({ processes, stacks }: Header, sockets: readonly Socket[] | undefined) {
    this.#processes = processes.map(isProcess)
    this.#stacks = stacks.map(isStack)
    this.#sockets = sockets?.map(isSocket)
  }

  /** @returns true when the row has no problem */
  take(problem: string | undefined): boolean {
    if (problem === undefined) return true
    if (this.rejected.rows === 0) this.rejected.reason = problem
    this.rejected.rows += 1
    return false
  }

  event(
    process: number,
    stack: number,
    socket: number,
    cpu: number,
    seq: number,
    offsetNs: number,
    durationNs: number,
    bytes: number
  ): string | undefined {
    if (this.#processes[process] !== true) return this.#missing('processes', this.#processes, 'event', process)
    if (stack !== -1 && this.#stacks[stack] !== true) return this.#missing('stacks', this.#stacks, 'event', stack)
    if (socket !== -1 && this.#sockets !== undefined && this.#sockets[socket] !== true) {
      return this.#missing('sockets', this.#sockets, 'event', socket)
    }
    if (!isWithin(cpu, 0, maxCpus - 1)) return `an event of CPU ${cpu}, but a kernel has at most ${maxCpus}`
    if (!isWithin(seq, 0, maxLong)) return `an event with the sequence number ${seq}`
    if (!isWithin(offsetNs, -maxLong, maxLong)) return `an event ${offsetNs} ns from its clock`
    if (!isWithin(bytes, -1, maxLong)) return `an event of ${bytes} bytes`
    return isWithin(durationNs, 0, maxLong) ? undefined : `an event of ${durationNs} ns`
  }

  summary(
    process: number,
    seq: number,
    offsetNs: number,
    durationNs: number,
    count: number,
    totalNs: number,
    bytes: number
  ): string | undefined {
    if (this.#processes[process] !== true) return this.#missing('processes', this.#processes, 'summary', process)
    if (!isWithin(seq, 0, maxLong)) return `a summary with the sequence number ${seq}`
    if (!isWithin(offsetNs, -maxLong, maxLong)) return `a summary ${offsetNs} ns from its clock`
    if (!isWithin(durationNs, 0, maxLong)) return `a summary of ${durationNs} ns`
    if (!isWithin(count, 0, maxCount)) return `a summary of ${count} calls`
    if (!isWithin(totalNs, 0, maxLong)) return `a summary of calls that took ${totalNs} ns`
    return isWithin(bytes, 0, maxLong) ? undefined : `a summary of ${bytes} bytes`
  }

  bucket(index: number, count: number): string | undefined {
    const isRight = isWithin(index, 0, lastIndex) && isWithin(count, 0, maxCount)
    return isRight ? undefined : `a summary with ${count} calls in bucket ${index}`
  }

  #missing(table: string, { length }: readonly boolean[], row: string, at: number): string {
    const [article, noun] = [row === 'event' ? 'an' : 'a', table.replace(/(es|s)$/, '')]
    if (at >= 0 && at < length) return `${article} ${row} of a ${noun} with impossible values`
    return `${length} ${table}, but ${article} ${row} of ${noun} ${at}`
  }
}

const refuse = ({ host, run, batch }: Header, why: string): never => {
  const name = (text: string): string => text.slice(0, maxName)
  throw new RingsideError('DATA', `batch ${batch} of ${name(host)} (run ${name(run)}) has ${why}`)
}

const checkHeader = (batch: Header): void => {
  const problem = headerProblem(batch)
  if (problem !== undefined) refuse(batch, problem)
}

const rejectedOf = (batch: Header, { rejected }: RowChecks, of: number): Rejected | undefined => {
  if (rejected.rows === 0) return undefined
  return rejected.rows < of ? { ...rejected, of } : refuse(batch, rejected.reason)
}

/**
 * @returns the batch without the rejected rows
 * @throws RingsideError DATA when the header contradicts itself, or every row does
 */
export const checkBatch = (batch: EventBatch): { batch: EventBatch; rejected: Rejected | undefined } => {
  checkHeader(batch)
  const checks = new RowChecks(batch, batch.sockets)
  const events = batch.events.filter((each) => {
    const { process, stack, socket, cpu, seq, time_offset_ns, duration_ns, bytes } = each
    return checks.take(checks.event(process, stack, socket, cpu, seq, time_offset_ns, duration_ns, bytes))
  })
  const bucketProblem = (buckets: readonly Bucket[]): string | undefined => {
    for (const { index, count } of buckets) {
      const problem = checks.bucket(index, count)
      if (problem !== undefined) return problem
    }
    return undefined
  }
  const summaries = batch.summaries.filter((each) => {
    const { process, seq, time_offset_ns, duration_ns, count, total_ns, bytes, latency, errnos } = each
    const problem = checks.summary(process, seq, time_offset_ns, duration_ns, count, total_ns, bytes)
    const limited = isWithin(each.limited, 0, maxCount) ? undefined : `a summary of ${each.limited} limited calls`
    return checks.take(problem ?? limited ?? bucketProblem(latency) ?? bucketProblem(errnos))
  })
  const rejected = rejectedOf(batch, checks, batch.events.length + batch.summaries.length)
  return { batch: rejected === undefined ? batch : { ...batch, events, summaries }, rejected }
}

/** As checkBatch(); removes the rejected rows in place. */
export const checkColumns = (batch: ColumnBatch): Rejected | undefined => {
  checkHeader(batch)
  const { events, summaries } = batch
  const checks = new RowChecks(batch, undefined)
  const wrongEvents = wrongRows(events.length, checks, (i) => eventProblem(batch, checks, i))
  const wrongSummaries = wrongRows(summaries.length, checks, (i) => summaryProblem(batch, checks, i))
  const rejected = rejectedOf(batch, checks, events.length + summaries.length)
  if (rejected === undefined) return undefined
  keepColumns(batch, {
    events: rowsWithout(wrongEvents, events.length),
    summaries: rowsWithout(wrongSummaries, summaries.length)
  })
  return rejected
}

/** Empty for nearly every batch: nothing is allocated for a right row. */
const wrongRows = (
  length: number,
  checks: RowChecks,
  problemOf: (row: number) => string | undefined
): ReadonlySet<number> => {
  const wrong = new Set<number>()
  for (let i = 0; i < length; i++) if (!checks.take(problemOf(i))) wrong.add(i)
  return wrong
}

const rowsWithout = (wrong: ReadonlySet<number>, length: number): number[] =>
  Array.from({ length }, (_, i) => i).filter((i) => !wrong.has(i))

const eventProblem = ({ events }: ColumnBatch, checks: RowChecks, i: number): string | undefined =>
  checks.event(
    events.process[i] as number,
    events.stack[i] as number,
    -1,
    events.cpu[i] as number,
    events.seq[i] as number,
    events.timeOffsetNs[i] as number,
    events.durationNs[i] as number,
    events.bytes[i] as number
  )

const summaryProblem = ({ summaries }: ColumnBatch, checks: RowChecks, i: number): string | undefined => {
  const problem = checks.summary(
    summaries.process[i] as number,
    summaries.seq[i] as number,
    summaries.timeOffsetNs[i] as number,
    summaries.durationNs[i] as number,
    summaries.count[i] as number,
    summaries.totalNs[i] as number,
    summaries.bytes[i] as number
  )
  if (problem !== undefined) return problem
  for (const { begin, index, count } of [summaries.latency, summaries.errnos]) {
    for (let at = begin[i] as number; at < (begin[i + 1] as number); at++) {
      const wrong = checks.bucket(index[at] as number, count[at] as number)
      if (wrong !== undefined) return wrong
    }
  }
  return undefined
}
