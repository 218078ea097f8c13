// Published rows in, metric families out: latency, error numbers and bytes by host, workload and call. The busiest calls have
// a series each; the rest of a host shares one.
import type { HistogramSample, MetricFamily, Sample, ScalarFamily } from '../../runtime/metric-family.ts'
import { indexOf } from '../../wire/log-linear.ts'
import type { Rollup } from '../../wire/types.ts'
import { BusiestSeries } from './busiest-series.ts'
import { addSums, type CallSeries, createCallSeries } from './call-series.ts'
import { otherName } from './key.ts'
import { errorOf, octaveBoundsNs, octaveOf, PublishedSums } from './published-sums.ts'
import { RecentHosts } from './recent-hosts.ts'
import type { SlowCall } from './slowest-calls.ts'

export interface CallMetricsOptions {
  /** Rows of windows of this length are counted: the shortest. */
  readonly windowMs: number
  /** Allowed lateness of the windows. */
  readonly latenessMs: number
  /** Series of (host, workload, call), in addition to one for the rest of each host. */
  readonly maxSeries: number
}

interface Host {
  readonly published: PublishedSums
  /** The calls without a series. */
  readonly rest: CallSeries
  /** How many calls `rest` has. */
  overflow: number
}

const bounds = octaveBoundsNs.map((ns) => ns / 1e9)
const labels = ['host', 'workload', 'call'] as const

export class CallMetrics {
  readonly #windowMs: number
  readonly #keepUs: number
  readonly #series: BusiestSeries
  readonly #hosts = new RecentHosts<Host>()

  constructor({ windowMs, latenessMs, maxSeries }: CallMetricsOptions) {
    this.#windowMs = windowMs
    // Twice the lateness: an instance that takes over a partition may publish a row of that age again.
    this.#keepUs = (2 * latenessMs + 10 * windowMs) * 1000
    this.#series = new BusiestSeries(maxSeries)
  }

  /** @param row a published row; a duplicate adds nothing */
  add(row: Rollup): void {
    if (row.by !== 'workload' || row.window_ms !== this.#windowMs) return
    const host = this.#hosts.of(row.host, () => ({
      published: new PublishedSums(this.#keepUs),
      rest: createCallSeries(row.host, otherName, otherName),
      overflow: 0
    }))
    const key = BusiestSeries.keyOf(row.host, row.workload, row.syscall)
    const sums = host.published.newIn(row, key)
    if (sums === undefined) return
    this.#series.advance(row.window_start)
    const series = row.other ? undefined : this.#series.count(key, row, sums.calls)
    if (series === undefined) host.overflow += sums.calls
    addSums(series ?? host.rest, sums)
  }

  /** Makes the event the exemplar of its bucket, if its call has a series. */
  exemplify({ host, workload, call, durationNs, timeSeconds, boot, cpu, seq }: SlowCall): void {
    const series = this.#series.find(BusiestSeries.keyOf(host, workload, call))
    if (series === undefined) return
    const exemplarLabels = { boot, cpu: String(cpu), seq: String(seq) }
    series.exemplars[octaveOf(indexOf(durationNs))] = { labels: exemplarLabels, value: durationNs / 1e9, timeSeconds }
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
      counter(
        'ringside_call_errnos_total',
        'Error numbers that system calls and asynchronous connects returned, by errno and verdict.',
        ['errno', 'verdict'],
        () => this.#errnos()
      ),
      counter('ringside_call_bytes_total', 'Bytes moved by read, write, sendto and sendmsg.', [], () => this.#bytes()),
      {
        name: 'ringside_call_overflow_total',
        kind: 'counter',
        help: 'System calls beyond metrics.series, in the series with workload and call other.',
        labels: ['host'],
        samples: () => Array.from(this.#hosts, ([host, { overflow }]) => ({ labels: { host }, value: overflow }))
      }
    ]
  }

  *#all(): Iterable<CallSeries> {
    yield* this.#series.values()
    for (const [, { overflow, rest }] of this.#hosts) if (overflow > 0) yield rest
  }

  *#histograms(): Iterable<HistogramSample> {
    for (const { labels, buckets, totalNs, exemplars } of this.#all()) {
      yield { labels, buckets, sum: totalNs / 1e9, exemplars }
    }
  }

  *#errnos(): Iterable<Sample> {
    for (const { labels, errors } of this.#all()) {
      for (const [key, value] of errors) yield { labels: { ...labels, ...errorOf(key) }, value }
    }
  }

  *#bytes(): Iterable<Sample> {
    for (const { labels, bytes } of this.#all()) if (bytes > 0) yield { labels, value: bytes }
  }
}
