// Totals of summaries by process and call number, over any number of epochs, and the emitted events.
import assert from 'node:assert/strict'
import {
  cellBytes,
  eventClasses,
  eventField,
  knownCalls,
  type Lane,
  lanes,
  recordKind,
  recordKinds,
  summaryField,
  summaryHeaderBytes
} from '../../bpf/event.ts'
import { type LiveSource, type LiveSourceOptions, openLiveSource } from '../../producer/source/live-source.ts'
import { RawEvents } from '../../producer/source/raw-events.ts'
import { noMark } from '../../producer/source/source.ts'
import type { EventClass } from '../../wire/types.ts'
import { type Outcome, quiet } from './observe.ts'

export interface Counted {
  count: number
  errors: number
  totalNs: number
  bytes: number
  limited: number
  uncounted: number
  /** Calls by bucket; of errors by errno. */
  readonly latencies: Map<number, number>
  readonly sizes: Map<number, number>
  readonly errnos: Map<number, number>
}

export interface Emitted {
  readonly pid: number
  readonly nr: number
  readonly class: EventClass | undefined
  readonly kind: string | undefined
  readonly call: string | undefined
  readonly comm: string
  readonly timeNs: number
}

const none = { run: '', batch: 0, closed: [], declared: [0, 0, 0, 0], events: [0, 0, 0, 0] }

/** The sum of counts by bucket. */
export const sumOf = (counts: Iterable<number>): number => [...counts].reduce((sum, count) => sum + count, 0)

const noCounts = (): Counted => ({
  ...{ count: 0, errors: 0, totalNs: 0, bytes: 0, limited: 0, uncounted: 0 },
  ...{ latencies: new Map(), sizes: new Map(), errnos: new Map() }
})

export class Counts {
  /** Calls in all summaries. */
  calls = 0
  /** Number of summaries, and the pids and processes in them: the kernel reuses pids. */
  summaries = 0
  readonly pids = new Set<number>()
  readonly processes = new Set<string>()
  /** Emitted events. */
  readonly events: Emitted[] = []
  readonly #source: LiveSource
  readonly #rows = new Map<string, Counted>()
  readonly #batch = new Uint8Array(1 << 20)
  readonly #place = { ...noMark }

  constructor(source: LiveSource) {
    this.#source = source
  }

  /** Totals of one process and call; all zeros if there is no summary. */
  of(pid: number, nr: number): Counted {
    return this.#rows.get(`${pid} ${nr}`) ?? noCounts()
  }

  /** Reads everything and releases it. */
  take(): void {
    const raw = new RawEvents(this.#batch)
    for (let bytes = this.#source.read(this.#batch); bytes > 0; bytes = this.#source.read(this.#batch)) {
      for (let at = 0; at < bytes; at += raw.u32(at)) this.#add(raw, at)
    }
    this.#source.release({ ...this.#place, summaries: this.summaries }, none)
  }

  /** Ends the epoch, and reads its summaries. */
  async flip(): Promise<void> {
    await this.#source.summarize()
    this.take()
  }

  #add(raw: RawEvents, at: number): void {
    if (raw.u8(at + eventField.kind) !== recordKind.summary) {
      this.#place[lanes[raw.lane(at)] as Lane] += raw.u32(at + eventField.advance)
      this.events.push({
        pid: raw.u32(at + eventField.pid),
        nr: raw.u16(at + eventField.nr),
        class: eventClasses[raw.u8(at + eventField.eventClass)],
        kind: recordKinds[raw.u8(at + eventField.kind)],
        call: knownCalls[raw.u8(at + eventField.call)],
        comm: raw.comm(at),
        timeNs: raw.u64(at + eventField.timeNs)
      })
      return
    }
    const pid = raw.u32(at + eventField.pid)
    const key = `${pid} ${raw.u16(at + eventField.nr)}`
    const row = this.#rows.get(key) ?? noCounts()
    const from = at + eventField.path
    const end = from + raw.u16(at + eventField.pathSize)
    this.#rows.set(key, row)
    this.summaries += raw.u32(at + eventField.advance)
    this.pids.add(pid)
    this.processes.add(`${pid} ${raw.u64(at + eventField.startNs)}`)
    this.calls += raw.u64(from)
    row.count += raw.u64(from)
    row.errors += raw.u64(from + 8)
    row.totalNs += raw.u64(from + 16)
    row.bytes += raw.u64(from + summaryField.bytes)
    row.limited += raw.u64(from + summaryField.limited)
    row.uncounted += raw.u64(from + summaryField.uncounted)
    for (let cell = from + summaryHeaderBytes; cell < end; cell += cellBytes) {
      const [measure, index, count] = [raw.u16(cell), raw.u16(cell + 2), raw.u32(cell + 4)]
      const cells = [row.latencies, row.sizes, row.errnos][measure] as Map<number, number>
      cells.set(index, (cells.get(index) ?? 0) + count)
    }
  }
}

/** Runs a test with a source of its own. */
export const counting = async (
  options: Partial<LiveSourceOptions>,
  test: (source: LiveSource, counts: Counts) => Promise<void>
): Promise<void> => {
  const source = await openLiveSource({ ...quiet, ...options })
  try {
    await test(source, new Counts(source))
  } finally {
    source.close()
  }
}

/** Repeats `step` until the programs end; then reads everything. */
export const during = async (
  programs: Promise<Outcome>[],
  counts: Counts,
  step: () => Promise<void>
): Promise<Outcome[]> => {
  let isRunning = true
  const done = Promise.all(programs).finally(() => {
    isRunning = false
  })
  while (isRunning) await step()
  const outcomes = await done
  for (const { code } of outcomes) assert.equal(code, 0)
  // Unreleased summaries block the next flip: release them first.
  counts.take()
  await counts.flip()
  await counts.flip()
  return outcomes
}
