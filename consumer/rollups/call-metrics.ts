// Rows of rollups as they are told go in, families of metrics come out: latency, errors and bytes by host, workload and
// call. At most so many series, those of the busiest; what the others do is summed for each host, and counted.
import type { HistogramSample, MetricFamily, Sample, ScalarFamily } from '../../runtime/metric.ts'
import { errnoName } from '../../wire/errno.ts'
import { indexOf } from '../../wire/sketch.ts'
import type { Rollup } from '../../wire/types.ts'
import { others } from './key.ts'
import { boundsNs, octaveOf, PublishedSums, type Sums } from './published-sums.ts'

/** What an event that took long is found by. */
export interface SlowCall {
  readonly host: string
  readonly workload: string
  readonly call: string
  readonly durationNs: number
  readonly timeSeconds: number
  readonly boot: string
  readonly cpu: number
  readonly seq: number
}

interface Series {
  readonly labels: Readonly<Record<'host' | 'workload' | 'call', string>>
  readonly buckets: Float64Array
  readonly exemplars: HistogramSample['exemplars'] & unknown[]
  readonly errors: Map<number, number>
  totalNs: number
  bytes: number
}

export interface CallMetricsOptions {
  /** Of the rollups' windows, those that are counted: the shortest. */
  readonly windowMs: number
  /** How long after its close a window is corrected. */
  readonly latenessMs: number
  /** How many series of (host, workload, call) there are, beside one for all others of each host. */
  readonly maxSeries: number
}

/** In event time: so often another may take the place of one that it is busier than. */
const periodUs = 60_000_000
/** So many times as busy, lest two take turns. */
const minFactor = 2
/** Keys whose calls of a period are counted to find the busiest, for each series. */
const candidatesPerSeries = 10
/** Hosts are few; beyond this the one heard from longest ago is forgotten. */
const maxHosts = 1000

const bounds = boundsNs.map((ns) => ns / 1e9)
const labels = ['host', 'workload', 'call'] as const

const keyOf = (host: string, workload: string, call: string): string => `${host}\n${workload}\n${call}`

const seriesOf = (host: string, workload: string, call: string): Series => ({
  labels: { host, workload, call },
  buckets: new Float64Array(bounds.length + 1),
  exemplars: [],
  errors: new Map(),
  totalNs: 0,
  bytes: 0
})

interface Activity {
  readonly row: Pick<Rollup, 'host' | 'workload' | 'syscall'>
  calls: number
}

interface Host {
  readonly told: PublishedSums
  readonly others: Series
  /** Calls that are in `others`. */
  unlisted: number
}

export class CallMetrics {
  readonly #options: CallMetricsOptions
  readonly #series = new Map<string, Series>()
  readonly #hosts = new Map<string, Host>()
  /** Calls of this period, with or without a series. */
  #activity = new Map<string, Activity>()
  #periodUs = Number.NEGATIVE_INFINITY

  constructor(options: CallMetricsOptions) {
    this.#options = options
  }

  /** @param row as it is told; rows that are told again change nothing */
  add(row: Rollup): void {
    if (row.by !== 'workload' || row.window_ms !== this.#options.windowMs) return
    const host = this.#hostOf(row.host)
    const key = keyOf(row.host, row.workload, row.syscall)
    const sums = host.told.newIn(row, key)
    if (sums === undefined) return
    const { calls } = sums
    this.#keepTime(row.window_start)
    if (!row.other) this.#countActivity(row, key, calls)
    const series = row.other ? undefined : this.#seriesOf(row, key)
    if (series === undefined) host.unlisted += calls
    addTo(series ?? host.others, sums)
  }

  /** Where its call has a series, the event becomes the exemplar of its bucket. */
  exemplify({ host, workload, call, durationNs, timeSeconds, boot, cpu, seq }: SlowCall): void {
    const series = this.#series.get(keyOf(host, workload, call))
    if (series === undefined) return
    const bucket = octaveOf(indexOf(durationNs))
    const exemplarLabels = { boot, cpu: String(cpu), seq: String(seq) }
    series.exemplars[bucket] = { labels: exemplarLabels, value: durationNs / 1e9, timeSeconds }
  }

  families(): readonly MetricFamily[] {
    const counter = (name: string, help: string, extra: readonly string[], samples: () => Iterable<Sample>) =>
      ({ name, kind: 'counter', help, labels: [...labels, ...extra], samples }) satisfies ScalarFamily
    return [
      {
        name: 'ringside_call_duration_seconds',
        kind: 'histogram',
        help: 'Durations of system calls.',
        labels,
        bounds,
        samples: () => this.#histograms()
      },
      counter('ringside_call_errors_total', 'System calls that failed, by errno.', ['errno'], () => this.#errors()),
      counter('ringside_call_bytes_total', 'Bytes that read, write, sendto and sendmsg moved.', [], () =>
        this.#bytes()
      ),
      {
        name: 'ringside_call_unlisted_total',
        kind: 'counter',
        help: 'System calls that have no series of their own and are counted under workload other.',
        labels: ['host'],
        samples: () => Array.from(this.#hosts, ([host, { unlisted }]) => ({ labels: { host }, value: unlisted }))
      }
    ]
  }

  *#all(): Iterable<Series> {
    yield* this.#series.values()
    for (const { unlisted, others: rest } of this.#hosts.values()) if (unlisted > 0) yield rest
  }

  *#histograms(): Iterable<HistogramSample> {
    for (const { labels, buckets, totalNs, exemplars } of this.#all()) {
      yield { labels, buckets, sum: totalNs / 1e9, exemplars }
    }
  }

  *#errors(): Iterable<Sample> {
    for (const { labels, errors } of this.#all()) {
      for (const [errno, value] of errors)
        yield { labels: { ...labels, errno: errnoName(-errno) ?? String(errno) }, value }
    }
  }

  *#bytes(): Iterable<Sample> {
    for (const { labels, bytes } of this.#all()) if (bytes > 0) yield { labels, value: bytes }
  }

  #hostOf(name: string): Host {
    const { windowMs, latenessMs } = this.#options
    const known = this.#hosts.get(name)
    // Twice the lateness: what is told again after a restart elsewhere is still known.
    const keepUs = (2 * latenessMs + 10 * windowMs) * 1000
    const host = known ?? { told: new PublishedSums(keepUs), others: seriesOf(name, others, others), unlisted: 0 }
    this.#hosts.delete(name)
    this.#hosts.set(name, host)
    if (this.#hosts.size > maxHosts) this.#hosts.delete(this.#hosts.keys().next().value as string)
    return host
  }

  #seriesOf({ host, workload, syscall }: Rollup, key: string): Series | undefined {
    const known = this.#series.get(key)
    if (known !== undefined || this.#series.size >= this.#options.maxSeries) return known
    const series = seriesOf(host, workload, syscall)
    this.#series.set(key, series)
    return series
  }

  #countActivity({ host, workload, syscall }: Rollup, key: string, calls: number): void {
    const known = this.#activity.get(key)
    if (known !== undefined) known.calls += calls
    else if (this.#activity.size < candidatesPerSeries * this.#options.maxSeries) {
      this.#activity.set(key, { row: { host, workload, syscall }, calls })
    }
  }

  #keepTime(nowUs: number): void {
    if (nowUs < this.#periodUs + periodUs) return
    this.#periodUs = nowUs
    if (this.#series.size >= this.#options.maxSeries) this.#makeRoom()
    this.#activity = new Map()
  }

  /** Those that are far less busy than what has no series give theirs up: a series that comes back begins at 0. */
  #makeRoom(): void {
    const callsOf = (key: string): number => this.#activity.get(key)?.calls ?? 0
    const idlest = [...this.#series.keys()].sort((a, b) => callsOf(a) - callsOf(b))
    const busiest = [...this.#activity].filter(([key]) => !this.#series.has(key))
    busiest.sort(([, a], [, b]) => b.calls - a.calls)
    for (const [i, key] of idlest.entries()) {
      const [name, other] = busiest[i] ?? []
      if (name === undefined || other === undefined || other.calls < minFactor * Math.max(1, callsOf(key))) return
      this.#series.delete(key)
      this.#series.set(name, seriesOf(other.row.host, other.row.workload, other.row.syscall))
    }
  }
}

const addTo = (series: Series, { totalNs, bytes, errnos, octaves }: Sums): void => {
  series.totalNs += totalNs
  series.bytes += bytes
  for (const [errno, count] of errnos) series.errors.set(errno, (series.errors.get(errno) ?? 0) + count)
  for (let i = 0; i < octaves.length; i++) series.buckets[i] = (series.buckets[i] as number) + (octaves[i] as number)
}
