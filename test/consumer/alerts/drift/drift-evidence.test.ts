// False alerts and detection delays of drift on synthetic streams. RINGSIDE_TEST_ROUNDS=20 makes twenty times as many
// streams: the figures in docs/alerts.md come from such a run.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Drift } from '../../../../consumer/alerts/drift/drift.ts'
import { feed, raisedSeconds, rowsOf, thresholds } from './support/run.ts'
import { type StreamShape, streamOf } from './support/streams.ts'

const rounds = Number(process.env['RINGSIDE_TEST_ROUNDS'] ?? 1)
const streams = 3 * rounds
const windows = 540
/** After one hour, when the baseline is complete. */
const movesAt = 360

const base = { rate: () => 100, median: () => 50_000, jitter: 0.1, memory: 0.8 }
const moved = (before: number, after: number) => (window: number) => (window < movesAt ? before : after)
const daily = (window: number, amplitude: number): number => 1 + amplitude * Math.sin((window / 8640) * 2 * Math.PI)
const inBurst = (window: number): boolean => window % 30 < 6

const quiet: Readonly<Record<string, StreamShape>> = {
  steady: { ...base, jitter: 0 },
  'wandering by 10%': base,
  'wandering by 20% for minutes': { ...base, jitter: 0.2, memory: 0.9 },
  'of two kinds of calls': { ...base, slowShare: () => 0.3 },
  'that follow the day': { ...base, rate: (w) => 100 * daily(w, 0.8), median: (w) => 50_000 * daily(w, 0.5) },
  'that come in bursts, slower within': {
    ...base,
    rate: (w) => (inBurst(w) ? 300 : 20),
    median: (w) => (inBurst(w) ? 200_000 : 50_000)
  },
  'of few calls': { ...base, rate: () => 5 },
  'that move by 10%': { ...base, median: moved(50_000, 55_000) }
}

const shifted: Readonly<Record<string, { readonly shape: StreamShape; readonly rule: string }>> = {
  '1.5 times as slow': { shape: { ...base, median: moved(50_000, 75_000) }, rule: 'latency_drift' },
  'three times as fast': { shape: { ...base, median: moved(60_000, 20_000) }, rule: 'latency_drift' },
  'with a third of calls slow': { shape: { ...base, slowShare: moved(0, 0.33) }, rule: 'latency_drift' },
  'twice as many': { shape: { ...base, rate: moved(100, 200) }, rule: 'rate_drift' },
  'a third as many': { shape: { ...base, rate: moved(100, 33) }, rule: 'rate_drift' },
  none: { shape: { ...base, rate: moved(100, 0) }, rule: 'rate_drift' }
}

const run = (shape: StreamShape) => {
  const drift = new Drift({ ...thresholds, maxKeys: 10_000 })
  const all = Array.from({ length: streams }, (_, i) => streamOf(shape, i + 1))
  return feed(drift, rowsOf(all, 0, windows))
}

for (const [name, shape] of Object.entries(quiet)) {
  test(`calls ${name} raise nothing`, (context) => {
    const alerts = run(shape)
    const days = (streams * windows) / 8640
    for (const rule of ['latency_drift', 'rate_drift']) {
      context.diagnostic(`${rule}: ${raisedSeconds(alerts, rule).length} in ${days.toFixed(1)} days of a stream`)
    }
    if (rounds === 1)
      assert.deepEqual(
        alerts.map(({ explanation }) => explanation),
        []
      )
  })
}

for (const [name, { shape, rule }] of Object.entries(shifted)) {
  test(`calls that become ${name} raise one alert each within minutes`, (context) => {
    const alerts = run(shape)
    const found = Map.groupBy(alerts, ({ workload }) => workload)
    const delays = Array.from(found.values(), (ofOne) => raisedSeconds(ofOne, rule)[0] ?? Number.NaN)
      .map((seconds) => seconds - movesAt * 10)
      .filter((seconds) => Number.isFinite(seconds))
      .sort((a, b) => a - b)
    const [median, most] = [delays[delays.length >> 1], delays.at(-1)]
    context.diagnostic(`found ${delays.length} of ${streams}; median delay ${median} s, longest ${most} s`)
    if (rounds > 1) return
    assert.equal(delays.length, streams)
    assert.ok(
      delays.every((seconds) => seconds > 0 && seconds <= 400),
      delays.join()
    )
  })
}
