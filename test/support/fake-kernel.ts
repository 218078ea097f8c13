// A source with rings, counts and pins, without a kernel. emit() and count() stand for BPF programs; successor() is
// the source of the edge that takes over from a dead one.
import { lane, lanes, summaryCpu } from '../../bpf/event.ts'
import type { Reduction } from '../../producer/budget/budget.ts'
import { laneOf } from '../../producer/source/raw-events.ts'
import {
  type Account,
  type ClockReading,
  type LimitedCalls,
  type Mark,
  noMark,
  type Source,
  type SourceStatistics
} from '../../producer/source/source.ts'
import { eventClasses } from '../../wire/event-class.ts'
import type { EventClass } from '../../wire/types.ts'
import { type RawEvent, rawBytes, rawEvent, rawSummary } from './raw-events.ts'

interface LaneRecord {
  readonly bytes: Buffer
  /** Sum of the steps up to its end. */
  readonly end: number
}

/** Records of one ring or of the summaries, kept until they are released. */
class Records {
  readonly records: LaneRecord[] = []
  /** Sum of `advance` of all records, and of the released ones. */
  end = 0
  released = 0

  put(event: RawEvent): void {
    // The ring buffer adds a header of 8 bytes to a record.
    const advance = rawBytes(event).length + 8
    this.end += advance
    this.records.push({ bytes: rawBytes({ ...event, advance }), end: this.end })
  }

  release(mark: number): void {
    this.released = Math.max(this.released, mark)
    while (this.records[0] !== undefined && this.records[0].end <= mark) this.records.shift()
  }

  get used(): number {
    return this.end - this.released
  }
}

const byClass = (): Record<EventClass, number> => ({ process: 0, network: 0, file: 0, io: 0 })

/** The state that outlives an edge. */
class Pins {
  readonly lanes = lanes.map(() => new Records())
  readonly cpus = new Map<number, { before: number; last: number }>()
  readonly emitted = byClass()
  readonly dropped = byClass()
  readonly counted = byClass()
  counting: RawEvent[] = []
  countedUntilUs: number | undefined
  summaries = 0
  account: Account | undefined
}

export class FakeKernel implements Source {
  readonly boot = '00000000-0000-0000-0000-000000000000'
  readonly description = 'a fake kernel'
  readonly previous: Account | undefined
  readonly begin: Mark
  readonly released: { mark: Mark; account: Account }[] = []
  readonly #pins: Pins
  readonly #read: number[]
  #detached = false
  #dead = false
  readonly reductions: Reduction[] = []
  limitedCalls: LimitedCalls[] = []
  closed = false
  lossless = false
  untracked = 0
  /** Size of each ring: beyond it records are dropped. */
  ringBytes = Infinity

  constructor(pins = new Pins()) {
    this.#pins = pins
    this.previous = pins.account
    const released = lanes.map((name, i) => [name, pins.lanes[i]?.released])
    this.begin = pins.account === undefined ? noMark : (Object.fromEntries(released) as Mark)
    this.#read = lanes.map((name) => this.begin[name])
  }

  /** The same kernel for the next edge; this source is dead from now on. */
  successor(): FakeKernel {
    this.#dead = true
    return new FakeKernel(this.#pins)
  }

  /** The programs observe an event; without `room` its ring drops it. */
  emit(given: Partial<RawEvent>, room = true): void {
    const hasRoom = room && this.#laneOf(rawEvent(given)).used < this.ringBytes
    const event = this.number(given, hasRoom)
    if (hasRoom) this.put(event)
  }

  /** Assigns an event its seq and counts it in the statistics. */
  number(given: Partial<RawEvent>, room = true): RawEvent {
    const cpu = given.cpu ?? 0
    const range = this.#pins.cpus.get(cpu) ?? { before: 1_000 * (cpu + 1), last: 1_000 * (cpu + 1) }
    range.last++
    this.#pins.cpus.set(cpu, range)
    const event = rawEvent({ ...given, cpu, seq: BigInt(range.last) })
    const counts = room ? this.#pins.emitted : this.#pins.dropped
    counts[eventClasses[event.class] as EventClass]++
    return event
  }

  put(event: RawEvent): void {
    this.#laneOf(event).put(event)
  }

  /** The programs count calls, for the next summaries. */
  count(given: Partial<RawEvent>, calls = 1): void {
    this.#pins.countedUntilUs ??= 0
    const summary = rawSummary(given, { count: BigInt(calls) })
    this.#pins.counted[eventClasses[summary.class] as EventClass] += calls
    this.#pins.counting.push(summary)
  }

  #laneOf(event: RawEvent): Records {
    return this.#pins.lanes[laneOf(event.kind, event.class)] as Records
  }

  get ended(): boolean {
    const isRead = this.#pins.lanes.every(({ end }, i) => end === this.#read[i])
    return this.#detached && isRead && this.#pins.counting.length === 0
  }

  read(into: Uint8Array): number {
    if (this.#dead) return 0
    let filled = 0
    this.#pins.lanes.forEach(({ records }, i) => {
      const limit = Math.min(into.length, (into.length / 4) * (i + 2))
      for (const { bytes, end } of records) {
        if (end <= (this.#read[i] as number)) continue
        if (filled + bytes.length > limit) break
        into.set(bytes, filled)
        filled += bytes.length
        this.#read[i] = end
      }
    })
    return filled
  }

  clock(): ClockReading {
    const monotonicNs = process.hrtime.bigint()
    return { monotonicNs, wallNs: monotonicNs + 1_700_000_000_000_000_000n }
  }

  statistics(): SourceStatistics {
    if (this.closed) throw new Error('the kernel is closed')
    const { summaries, countedUntilUs } = this.#pins
    const [emitted, dropped, counted] = [this.#pins.emitted, this.#pins.dropped, this.#pins.counted].map((counts) => ({
      ...counts
    })) as [Record<EventClass, number>, Record<EventClass, number>, Record<EventClass, number>]
    const seen = [...Object.values(emitted), ...Object.values(dropped)].reduce((a, b) => a + b, 0)
    const sequences = [...this.#pins.cpus].map(([cpu, range]) => ({ cpu, ...range }))
    if (summaries > 0) sequences.push({ cpu: summaryCpu, before: 0, last: summaries })
    const statistics = { seen, emitted, dropped, counted, untracked: this.untracked, sequences }
    return countedUntilUs === undefined ? statistics : { ...statistics, countedUntilUs }
  }

  get pressure(): number {
    if (this.closed) throw new Error('the kernel is closed')
    const rings = this.#pins.lanes.slice(0, lane.summaries)
    const shares = rings.map(({ released }, i) => (this.#read[i] as number) - released)
    return Math.max(...shares) / this.ringBytes
  }

  release(mark: Mark, account: Account): void {
    if (this.#dead) return
    this.released.push({ mark, account })
    for (const [i, name] of lanes.entries()) this.#pins.lanes[i]?.release(mark[name])
    this.#pins.account = account
  }

  async summarize(): Promise<boolean> {
    const pins = this.#pins
    const made = pins.lanes[lane.summaries] as Records
    if (this.#dead || pins.countedUntilUs === undefined || made.used > 0) return false
    const { monotonicNs } = this.clock()
    for (const summary of pins.counting) made.put({ ...summary, seq: BigInt(++pins.summaries), timeNs: monotonicNs })
    const isAny = pins.counting.length > 0
    pins.counting = []
    pins.countedUntilUs = Number(monotonicNs / 1000n)
    return isAny
  }

  limited(): readonly LimitedCalls[] {
    return this.limitedCalls
  }

  detach(): Promise<void> {
    this.#detached = true
    return Promise.resolve()
  }

  close(): void {
    this.closed = true
  }
}
