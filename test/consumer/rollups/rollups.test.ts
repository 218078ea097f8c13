import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Output } from '../../../consumer/handler.ts'
import { Rollups } from '../../../consumer/rollups/rollups.ts'
import type { Config } from '../../../runtime/config.ts'
import { decode, encode } from '../../../wire/codec.ts'
import { indexOf, Sketch } from '../../../wire/sketch.ts'
import type { EventBatch, HostStatus, Process, Rollup } from '../../../wire/types.ts'
import { batchOf, contextOf, eventOf, hosted, ofColumns, processOf, summaryOf } from '../support/batches.ts'
import {
  epochUs,
  highestRevisions,
  pick,
  recompute,
  rowKeyOf,
  streamOf,
  summarize,
  syscalls,
  type Truth,
  tallied
} from '../support/call-streams.ts'
import { random } from '../support/random.ts'

const options: Config['rollups'] = {
  windowsMs: [1000, 10_000, 60_000],
  by: ['process', 'go_function'],
  partialAfterMs: 500,
  maxKeys: 20_000,
  latenessMs: 10_000
}
/** Rows by process of one second, each told once. */
const seconds: Config['rollups'] = { ...options, windowsMs: [1000], partialAfterMs: 0 }

const rollupsOf = (outputs: Iterable<Output>): Rollup[] =>
  [...outputs].flatMap((output) => (output.to === 'rollups' ? output.value : []))

const statusesOf = (outputs: Iterable<Output>): HostStatus[] =>
  [...outputs].flatMap((output) => (output.to === 'hosts' ? output.value : []))

const revisionOf = (row: Rollup): string => `${rowKeyOf(row)} ${row.revision}`

/** The outputs of each batch. */
const handleAll = (handler: Rollups, log: readonly EventBatch[]): Output[][] => {
  const handle = hosted(ofColumns(handler))
  return log.map((batch, offset) => handle(batch, offset))
}

/** The rows of one kind that each batch tells. */
const tellings = (handler: Rollups, log: readonly EventBatch[], of = 'process'): Rollup[][] =>
  handleAll(handler, log).map((outputs) => rollupsOf(outputs).filter(({ by }) => by === of))

/** A batch of a host whose clock reads `seconds` after the epoch of the tests. */
const at = (seconds: number, batch: number, fields: Partial<EventBatch> = {}): EventBatch =>
  batchOf({
    batch,
    clock: { monotonic_us: 1e9 + seconds * 1e6, wall_us: epochUs + seconds * 1e6 },
    ...fields
  })

/** A call that returned `before` seconds before its batch's clock. */
const call = (before: number, fields: Parameters<typeof eventOf>[0] = {}) =>
  eventOf({ time_offset_ns: -Math.round(before * 1e9), ...fields })

const assertTrue = (rows: readonly Rollup[], truths: Map<string, Truth>): void => {
  const highest = highestRevisions(rows)
  assert.deepEqual([...highest.keys()].sort(), [...truths.keys()].sort())
  for (const [key, truth] of truths) {
    const row = highest.get(key) ?? assert.fail()
    const { count, errors, bytes, total_ns, complete, latency } = row
    const { durations, counted, ...sums } = truth
    const buckets = tallied(durations.map((duration) => Math.max(0, indexOf(duration))))
    // As text: there are thousands of rows.
    assert.equal(
      JSON.stringify({ count, errors, bytes, total_ns, errnos: row.errnos, latency, complete }),
      JSON.stringify({ ...sums, errnos: tallied(truth.errnos), latency: buckets, complete: true }),
      key
    )
    durations.sort((a, b) => a - b)
    const longest = durations.at(-1) as number
    if (counted === 0) assert.equal(row.max_ns, longest)
    else assert.ok(row.max_ns >= longest && row.max_ns <= longest * 1.032, `${key}: ${row.max_ns}, not ${longest}`)
    for (const [q, found] of [
      [0.5, row.p50_ns],
      [0.9, row.p90_ns],
      [0.95, row.p95_ns],
      [0.99, row.p99_ns],
      [0.999, row.p999_ns]
    ] as const) {
      const value = durations[Math.max(1, Math.ceil(q * count - 1e-9 * count)) - 1] as number
      assert.ok(Math.abs(found - value) <= value * 0.016, `${key}: q ${q} is ${found} instead of ${value}`)
    }
  }
}

/** Handles a log as the consume loop would that commits now and then and is killed at random. */
const runWithKills = (log: readonly EventBatch[], next: () => number): { outputs: Output[]; kills: number } => {
  const all: Output[] = []
  let kills = 0
  let committed = { offset: 0, metadata: undefined as string | undefined }
  for (;;) {
    const handler = new Rollups(options)
    const handle = hosted(ofColumns(handler))
    if (committed.metadata !== undefined) handler.restore(committed.metadata)
    let offset = committed.offset
    for (; offset < log.length; offset++) {
      const outputs = handle(log[offset] as EventBatch, offset)
      if (kills < 12 && next() < 0.01) break
      all.push(...outputs)
      if (kills < 12 && next() < 0.01) break
      if (next() < 0.1) {
        const { resumeOffset, metadata } = handler.checkpoint()
        assert.ok(Buffer.byteLength(metadata) <= 4096)
        committed = { offset: resumeOffset === undefined ? offset + 1 : Number(resumeOffset), metadata }
      }
    }
    if (offset === log.length) return { outputs: all, kills }
    kills++
  }
}

/** Rows added up as any reader may, by what a key says of them. */
const merged = (rows: Iterable<Rollup>, keyOf: (row: Rollup) => string) =>
  new Map(
    [...Map.groupBy(rows, keyOf)].map(([key, of]) => [
      key,
      {
        count: of.reduce((sum, { count }) => sum + count, 0),
        total_ns: of.reduce((sum, { total_ns }) => sum + total_ns, 0),
        latency: Sketch.of(...of.map(({ latency }) => latency)).buckets(),
        errnos: Sketch.of(...of.map(({ errnos }) => errnos)).buckets()
      }
    ])
  )

describe('rollups', () => {
  for (let seed = 1; seed <= 4; seed++) {
    test(`the highest revisions of stream ${seed} are what its calls sum up to`, () => {
      const log = streamOf(seed)
      const handler = new Rollups(options)
      const rows = rollupsOf(handleAll(handler, log).flat())
      assertTrue(rows, recompute(log, options.windowsMs))
      assert.equal(handler.counters()['late'], 0)
      for (const revisions of Map.groupBy(rows, rowKeyOf).values()) {
        for (const [i, row] of revisions.entries()) {
          assert.equal(row.revision, i + 1)
          assert.ok(row.count >= (revisions[i - 1]?.count ?? 0))
          assert.equal(row.complete, i > 0 || row.window_ms > 1000 || revisions.length === 1 || row.complete)
          assert.ok(row.complete || !revisions[i - 1]?.complete)
        }
      }
    })

    test(`so they are when stream ${seed} is handled by processes that are killed`, () => {
      const log = streamOf(seed)
      const { outputs, kills } = runWithKills(log, random(seed * 1000))
      assert.ok(kills > 0)
      const rows = rollupsOf(outputs)
      assertTrue(rows, recompute(log, options.windowsMs))
      const undisturbed = handleAll(new Rollups(options), log).flat()
      const statuses = (outputs: Output[]) =>
        new Set(statusesOf(outputs).map((of) => JSON.stringify({ ...of, read: 0 })))
      assert.deepEqual(statuses(outputs), statuses(undisturbed))
      const whole = new Map(rollupsOf(undisturbed).map((row) => [revisionOf(row), row]))
      for (const row of rows) {
        const same = whole.get(revisionOf(row)) ?? assert.fail(`${revisionOf(row)} is one too many`)
        assert.equal(JSON.stringify({ ...row, rate_ewma: 0 }), JSON.stringify({ ...same, rate_ewma: 0 }))
        const { rate_ewma } = same
        assert.ok(Math.abs(row.rate_ewma - rate_ewma) <= 1e-3 * rate_ewma + 1e-3, `${row.rate_ewma}, not ${rate_ewma}`)
      }
    })
  }

  test('rows that are merged are the rows of longer windows, of workloads, of hosts', () => {
    const log = streamOf(21)
    const rows = [...highestRevisions(rollupsOf(handleAll(new Rollups(options), log).flat())).values()]
    const of = (windowMs: number, by: string) => rows.filter((row) => row.window_ms === windowMs && row.by === by)
    const keyIn = (windowMs: number) => (row: Rollup) =>
      [row.host, row.workload, row.syscall, Math.floor(row.window_start / windowMs / 1000)].join(' ')
    const minutes = merged(of(60_000, 'workload'), keyIn(60_000))
    assert.deepEqual(merged(of(1000, 'workload'), keyIn(60_000)), minutes)
    assert.deepEqual(merged(of(10_000, 'workload'), keyIn(60_000)), minutes)
    assert.deepEqual(merged(of(1000, 'process'), keyIn(60_000)), minutes)
    const all = (row: Rollup) => row.syscall
    assert.deepEqual(merged(of(1000, 'process'), all), merged(of(60_000, 'workload'), all))
  })

  for (let seed = 31; seed <= 32; seed++) {
    test(`of calls that come later than a window takes them, each is in a row or counted once (${seed})`, () => {
      const log = streamOf(seed, 30_000)
      const handler = new Rollups({ ...options, latenessMs: 2000 })
      const rows = highestRevisions(rollupsOf(handleAll(handler, log).flat()))
      const { late = 0, outside = 0 } = handler.counters()
      assert.ok(late > 0)
      const total = [...recompute(log, [1000])].reduce(
        (sum, [key, of]) => sum + (/ workload /.test(key) ? of.count : 0),
        0
      )
      for (const windowMs of options.windowsMs) {
        const own = [...rows.values()].filter((row) => row.by === 'workload' && row.window_ms === windowMs)
        assert.equal(own.reduce((sum, { count }) => sum + count, 0) + late + outside, total)
      }
    })
  }

  test('a window is told at the first batch whose clock is 100 ms past its end, and once', () => {
    const log = [at(0.5, 1, { events: [call(0.1), call(0.2)] }), at(1.05, 2), at(1.1, 3), at(1.5, 4)]
    assert.deepEqual(
      tellings(new Rollups(seconds), log).map((rows) => rows.map(({ count, revision }) => ({ count, revision }))),
      [[], [], [{ count: 2, revision: 1 }], []]
    )
  })

  test('what there is of it is told early, and all of it, again, when it closes', () => {
    const log = [
      at(0.3, 1, { events: [call(0.1)] }),
      at(0.5, 2, { events: [call(0.1)] }),
      at(0.7, 3, { events: [call(0.1)] }),
      at(1.2, 4, { events: [call(0.1, { syscall: 'write' })] }),
      at(2.2, 5)
    ]
    const told = tellings(new Rollups({ ...seconds, partialAfterMs: 500 }), log)
    assert.deepEqual(
      told.map((rows) => rows.map(({ count, revision, complete }) => [count, revision, complete])),
      [[], [[2, 1, false]], [], [[3, 2, true]], [[1, 1, true]]]
    )
    const quiet = tellings(new Rollups({ ...seconds, partialAfterMs: 500 }), [
      at(0.5, 1, { events: [call(0.1)] }),
      at(1.2, 2),
      at(1.3, 3)
    ])
    assert.deepEqual(
      quiet.map((rows) => rows.map(({ count, revision, complete }) => [count, revision, complete])),
      [[[1, 1, false]], [[1, 2, true]], []]
    )
  })

  test('late calls correct a window, all of a batch in one revision; calls beyond the lateness are counted', () => {
    const handler = new Rollups({ ...seconds, maxKeys: 10, latenessMs: 2000 })
    const log = [
      at(0.5, 1, { events: [call(0.1)] }),
      at(1.2, 2),
      at(1.3, 3, { events: [call(0.9), call(0.8)] }),
      at(3.05, 4, { events: [call(2.5)] }),
      at(3.2, 5, { events: [call(2.7)] }),
      at(4.0, 6, { events: [call(3.5)] })
    ]
    const counts = tellings(handler, log).map((rows) => rows.map(({ count, revision }) => [revision, count]))
    assert.deepEqual(counts, [[], [[1, 1]], [[2, 3]], [[3, 4]], [[4, 5]], []])
    assert.equal(handler.counters()['late'], 1)
  })

  test('a late call is counted once, however many windows it lay in, and corrects each of them', () => {
    const handler = new Rollups({ ...options, by: [], partialAfterMs: 0, windowsMs: [1000, 10_000], latenessMs: 3000 })
    const log = [
      at(9.5, 1, { events: [call(0.1)] }),
      at(10.2, 2),
      at(10.3, 3, { events: [call(1)] }),
      at(14, 4),
      at(14, 5, { events: [call(8)] })
    ]
    assert.deepEqual(
      handleAll(handler, log).map((outputs) =>
        rollupsOf(outputs).map(({ window_ms, revision, count }) => [window_ms, revision, count])
      ),
      [
        [],
        [
          [1000, 1, 1],
          [10_000, 1, 1]
        ],
        [
          [1000, 2, 2],
          [10_000, 2, 2]
        ],
        [],
        []
      ]
    )
    assert.equal(handler.counters()['late'], 1)
  })

  test('the final batch closes all windows, and the next run corrects them', () => {
    const [first = [], second = []] = tellings(
      new Rollups({ ...options, by: ['process'] }),
      [at(0.5, 1, { final: true, events: [call(0.1)] }), at(0.9, 1, { run: 'run-2', events: [call(0.1)] })],
      'workload'
    )
    const told = (revision: number, count: number) => options.windowsMs.map((windowMs) => [windowMs, revision, count])
    assert.deepEqual(
      first.map(({ window_ms, revision, count }) => [window_ms, revision, count]),
      told(1, 1)
    )
    assert.deepEqual(
      second.map(({ window_ms, revision, count }) => [window_ms, revision, count]),
      told(2, 2)
    )
  })

  test('processes beyond the bound are summed under other, a row for each call, and still under their workload', () => {
    const handler = new Rollups({ ...seconds, maxKeys: 3 })
    const processes = Array.from({ length: 10 }, (_, i) => processOf({ pid: i + 1 }))
    const events = processes.flatMap((_, process) => [call(0.1, { process }), call(0.1, { process, syscall: 'write' })])
    const outputs = handleAll(handler, [at(0.5, 1, { final: true, processes, events })]).flat()
    assert.deepEqual(
      rollupsOf(outputs).map(({ by, pid, comm, workload, syscall, count, other }) =>
        [by, pid, comm, workload, syscall, count, other].join(' ')
      ),
      [
        'workload 0 client /usr/bin/client read 10 false',
        'workload 0 client /usr/bin/client write 10 false',
        'process 1 client /usr/bin/client read 1 false',
        'process 1 client /usr/bin/client write 1 false',
        'process 2 client /usr/bin/client read 1 false',
        'process 0 other other write 9 true',
        'process 0 other other read 8 true'
      ]
    )
    assert.deepEqual(
      statusesOf(outputs).map(({ rows, others }) => [rows, others]),
      [[3, 17]]
    )
  })

  test('workloads beyond the bound are summed under other, a row for each call, in windows of any length', () => {
    const handler = new Rollups({ ...options, by: [], maxKeys: 2 })
    const processes = Array.from({ length: 9 }, (_, i) => processOf({ pid: i + 1, exe: `/bin/${i}` }))
    const events = processes.flatMap((_, process) => [call(0.1, { process }), call(0.1, { process, syscall: 'write' })])
    const rows = rollupsOf(handleAll(handler, [at(0.5, 1, { final: true, processes, events })]).flat())
    for (const windowMs of options.windowsMs) {
      const own = rows.filter(({ window_ms }) => window_ms === windowMs)
      assert.deepEqual(
        own.map(({ pid, comm, workload, syscall, count, other }) =>
          [pid, comm, workload, syscall, count, other].join(' ')
        ),
        [
          '0 client /bin/0 read 1 false',
          '0 client /bin/0 write 1 false',
          '0 other other read 8 true',
          '0 other other write 8 true'
        ]
      )
    }
  })

  test('a process that becomes another program is of one workload, and then of the other', () => {
    const processes = [processOf({ comm: 'sh', exe: '/bin/sh' }), processOf({ comm: 'ls', exe: '/bin/ls' })]
    const events = [call(0.2, { process: 0 }), call(0.1, { process: 1 })]
    const rows = rollupsOf(handleAll(new Rollups(seconds), [at(0.5, 1, { final: true, processes, events })]).flat())
    assert.deepEqual(
      rows.map(({ by, pid, comm, workload, exe }) => [by, pid, comm, workload, exe].join(' ')),
      [
        'workload 0 sh /bin/sh /bin/sh',
        'workload 0 ls /bin/ls /bin/ls',
        'process 100 sh /bin/sh /bin/sh',
        'process 100 ls /bin/ls /bin/ls'
      ]
    )
  })

  test('the rate is of the window, and weighed of those before it, also of those without calls', () => {
    const told = tellings(new Rollups(seconds), [
      at(1.5, 1, { events: Array.from({ length: 10 }, () => call(0.2)) }),
      at(4.5, 2, { events: Array.from({ length: 20 }, () => call(0.2)) }),
      at(5.2, 3)
    ]).flat()
    const [gain, left] = [1 - Math.exp(-0.1), Math.exp(-0.3)]
    assert.deepEqual(
      told.map(({ rate }) => rate),
      [10, 20]
    )
    for (const [i, expected] of [10 * gain, 10 * gain * left + 20 * gain].entries()) {
      assert.ok(Math.abs((told[i]?.rate_ewma ?? 0) - expected) < 1e-9, `${told[i]?.rate_ewma}, not ${expected}`)
    }
  })

  test('after a restart the weighed rate is what it was, but for less than e^-7', () => {
    const log = Array.from({ length: 400 }, (_, i) => at(0.5 + i / 2, i + 1, { events: [call(0.1), call(0.2)] }))
    const first = new Rollups(options)
    handleAll(first, log.slice(0, 300))
    const { resumeOffset, metadata } = first.checkpoint()
    const second = new Rollups(options)
    second.restore(metadata)
    const again = rollupsOf(
      log
        .slice(Number(resumeOffset))
        .flatMap((batch, i) => [
          ...(ofColumns(second).handle(batch, contextOf((resumeOffset ?? 0n) + BigInt(i))) as Output[])
        ])
    )
    const whole = new Map(rollupsOf(handleAll(new Rollups(options), log).flat()).map((row) => [revisionOf(row), row]))
    assert.ok(again.length > 100)
    for (const row of again) {
      const { rate_ewma } = whole.get(revisionOf(row)) ?? assert.fail()
      assert.ok(Math.abs(row.rate_ewma - rate_ewma) <= rate_ewma * Math.exp(-7))
    }
  })

  test('a start in the middle of a run makes no window that began before, of any length', () => {
    const handler = new Rollups({ ...seconds, windowsMs: [1000, 10_000] })
    const log = [
      at(0.5, 7, { events: [call(0.1)] }),
      at(1.5, 8, { events: [call(0.9), call(0.1)] }),
      at(10.5, 9, { events: [call(0.1)] }),
      at(20.5, 10)
    ]
    assert.deepEqual(
      rollupsOf(handleAll(handler, log).flat()).map(({ by, window_ms, window_start, count }) => [
        by,
        window_ms,
        window_start - epochUs,
        count
      ]),
      [
        ['workload', 1000, 1e6, 1],
        ['process', 1000, 1e6, 1],
        ['workload', 1000, 10e6, 1],
        ['process', 1000, 10e6, 1],
        ['workload', 10_000, 10e6, 1]
      ]
    )
    assert.equal(handler.counters()['outside'], 2)
  })

  test('a clock that is stepped back and forth by an hour leaves no window behind', () => {
    const handler = new Rollups(options)
    const handle = ofColumns(handler)
    const rows: Rollup[] = []
    let monotonic_us = 1e9
    let told = 0
    for (let i = 0; i < 2000; i++) {
      monotonic_us += 100_000
      const hours = Math.floor(i / 500) % 2
      const clock = { monotonic_us, wall_us: epochUs + monotonic_us + hours * 3600e6 }
      const batch = batchOf({ batch: i + 1, final: i === 1999, clock, events: [call(0.05), call(0.01)] })
      const closed = rollupsOf(handle.handle(batch, contextOf(BigInt(i))) as Output[])
      rows.push(...closed)
      if (closed.length > 0) told = i
      assert.ok(i - told < 25, 'windows went on closing')
      assert.ok(i - Number(handler.checkpoint().resumeOffset) < 850, 'old batches are let go of')
    }
    const highest = new Map(rows.map((row) => [`${row.window_start} ${row.window_ms} ${row.by}`, row]))
    const counted = [...highest.values()].filter(({ window_ms, by }) => window_ms === 1000 && by === 'workload')
    const calls = counted.reduce((sum, { count }) => sum + count, 0)
    // Of each of the three steps, less than the window that it fell into is left out.
    assert.ok(calls <= 4000 && calls >= 4000 - 3 * 2 * 11, `${calls} of 4000`)
  })

  test('a call that claims to be of next year is left out', () => {
    const handler = new Rollups(options)
    const log = [at(0.5, 1, { events: [call(-3e7)] }), at(0.6, 2, { final: true })]
    assert.deepEqual(rollupsOf(handleAll(handler, log).flat()), [])
    assert.equal(handler.counters()['outside'], 1)
  })

  test('a host that fell silent is let go when others went on for a minute', () => {
    const handler = new Rollups({ ...options, windowsMs: [1000, 10_000], by: [] })
    const gone = at(0.5, 1, { host: 'gone', run: 'other', events: [call(0.1)] })
    const rows = rollupsOf(handleAll(handler, [gone, ...Array.from({ length: 150 }, (_, i) => at(i, i + 1))]).flat())
    assert.deepEqual(
      rows.map(({ host, window_ms, count, complete }) => [host, window_ms, count, complete]),
      [
        ['gone', 1000, 1, false],
        ['gone', 1000, 1, true],
        ['gone', 10_000, 1, true]
      ]
    )
    assert.ok((handler.checkpoint().resumeOffset ?? 0n) > 40n)
  })

  test('the first batch of a run that took over is in the middle of windows', () => {
    const handler = new Rollups(seconds)
    const continues = { run: 'run-0', batch: 5 }
    const log = [at(0.5, 1, { continues, events: [call(0.1)] }), at(2, 2, { final: true })]
    assert.deepEqual(rollupsOf(handleAll(handler, log).flat()), [])
    assert.equal(handler.counters()['outside'], 1)
  })

  test('times that sum up to more than a record can carry become the greatest that it can', () => {
    const month = 2_592_000e9
    const events = Array.from({ length: 100 }, () => call(0.1, { syscall: 'futex', duration_ns: month }))
    const summaries = [
      summaryOf({ time_offset_ns: 0, total_ns: 2 ** 53 - 2, bytes: 2 ** 53 - 2, latency: [{ index: 1695, count: 1 }] }),
      summaryOf({ time_offset_ns: 0, total_ns: 2 ** 53 - 2, bytes: 2 ** 53 - 2, latency: [{ index: 2047, count: 1 }] })
    ]
    const [rows = []] = tellings(new Rollups(seconds), [at(0.9, 1, { final: true, events, summaries })])
    for (const row of rows) assert.deepEqual(decode('Rollup', encode('Rollup', row)), row)
    assert.deepEqual(
      rows.map(({ total_ns, bytes }) => [total_ns, bytes]),
      [
        [2 ** 53 - 2, 0],
        [2 ** 53 - 2, 2 ** 53 - 2]
      ]
    )
  })

  test('what io_uring was asked for has rows of its own, by its name', () => {
    const events = [
      call(0.1, { kind: 'io_uring', syscall: 'read', call: 'io_uring_read', ret: 0, duration_ns: 0 }),
      call(0.1, { syscall: 'other', call: 'getppid', ret: 7 })
    ]
    const [rows = []] = tellings(new Rollups(seconds), [at(0.5, 1, { final: true, events })])
    assert.deepEqual(
      rows.map(({ syscall, count, bytes }) => [syscall, count, bytes]),
      [
        ['io_uring_read', 1, 0],
        ['getppid', 1, 0]
      ]
    )
  })
})

describe('the status of a host', () => {
  const statuses = (log: readonly EventBatch[], nowUs = () => 0): HostStatus[][] =>
    handleAll(new Rollups(seconds, nowUs), log).map((outputs) => statusesOf(outputs))

  test('is told for each second when it closes, also for one without calls, and for the last of a run', () => {
    const told = statuses([
      at(0.5, 1, { events: [call(0.1), call(0.2)] }),
      at(1.2, 2, { summaries: [summaryOf({ time_offset_ns: -1.5e8 })] }),
      at(2.5, 3),
      at(3.5, 4, { events: [call(0.1)] }),
      at(3.6, 5, { final: true })
    ])
    assert.deepEqual(
      told.map((of) => of.map((row) => [(row.window_start - epochUs) / 1e6, row.events, row.counted, row.final])),
      [[], [[0, 2, 4, false]], [[1, 0, 0, false]], [[2, 0, 0, false]], [[3, 1, 0, true]]]
    )
  })

  test('says until when calls have come, and when that was read', () => {
    const [, [status] = []] = statuses([at(0.5, 1), at(1.2, 2)], () => epochUs + 1.5e6)
    assert.ok(status !== undefined)
    assert.deepEqual([status.watermark - epochUs, status.read - epochUs], [1.1e6, 1.5e6])
    assert.deepEqual(decode('HostStatus', encode('HostStatus', status)), status)
  })

  test('has what was lost and left out since the one before', () => {
    const drops: EventBatch['drops'] = [{ class: 'file', reason: 'ring_full', count: 3 }]
    const log = [
      at(0.5, 1, { drops }),
      at(1.2, 2, { drops }),
      at(1.5, 3, { events: [call(-900)] }),
      at(2.2, 4),
      at(3.2, 5)
    ]
    assert.deepEqual(
      statuses(log).flatMap((of) => of.map((row) => [row.drops.map(({ count }) => count), row.outside])),
      [
        [[6], 0],
        [[], 1],
        [[], 0]
      ]
    )
  })

  test('of a host that fell silent is told for its last second, once', () => {
    const drops: EventBatch['drops'] = [{ class: 'file', reason: 'ring_full', count: 3 }]
    const silent = [
      at(0.5, 1, { host: 'gone', run: 'gone', drops }),
      at(0.5, 1, { host: 'ended', run: 'ended', final: true })
    ]
    const told = statuses([...silent, ...Array.from({ length: 150 }, (_, i) => at(i, i + 1))]).flat()
    assert.deepEqual(
      told.flatMap((row) =>
        row.host === 'host-a' ? [] : `${row.host} ${row.window_start - epochUs} ${row.drops.length} ${row.final}`
      ),
      ['ended 0 0 true', 'gone 0 1 false']
    )
  })

  test('is told again for no window, not when the clock jumps nor when a late call makes one', () => {
    const log = [at(0.5, 1), at(5.2, 2), at(3600.2, 3), at(3600.3, 4, { events: [call(1.5)] }), at(3601.2, 5)]
    assert.deepEqual(
      statuses(log).flatMap((of) => of.map((row) => (row.window_start - epochUs) / 1e6)),
      [4, 3599, 3600]
    )
  })
})

describe('rollups of counted calls', () => {
  for (let seed = 1; seed <= 4; seed++) {
    test(`are what they are of the same calls told one by one, but for the longest (${seed})`, () => {
      const next = random(seed)
      const processes: Process[] = Array.from({ length: 5 }, (_, i) => processOf({ pid: i + 1 }))
      const [told, counted]: [EventBatch[], EventBatch[]] = [[], []]
      for (let second = 1; second <= 20; second++) {
        const calls = Array.from({ length: 1 + pick(next, 400) }, () => ({
          process: pick(next, processes.length),
          syscall: syscalls[pick(next, syscalls.length)] as string,
          duration_ns: 1 + pick(next, 2 ** pick(next, 40)),
          ret: next() < 0.2 ? -11 : pick(next, 4096)
        }))
        // The edge flips a moment after the second, and what it counted is in a batch a while later.
        const time = { time_offset_ns: -Math.round((0.05 - next() * 0.02) * 1e9), duration_ns: 1e9 }
        const groups = Map.groupBy(calls, ({ process, syscall }) => `${process} ${syscall}`)
        const fields = { processes, final: second === 20 }
        told.push(at(second + 0.05, second, { ...fields, events: calls.map((one) => call(0.06, one)) }))
        const summaries = [...groups.values()].map((of) => {
          const { process, syscall } = of[0] ?? assert.fail()
          return summarize(of, { process, syscall, ...time })
        })
        counted.push(at(second + 0.05, second, { ...fields, counted_until_us: 1e9 + second * 1e6, summaries }))
      }
      const rowsOf = (log: readonly EventBatch[]) => {
        const rows = highestRevisions(rollupsOf(handleAll(new Rollups(options), log).flat()))
        return [...rows].sort(([a], [b]) => (a < b ? -1 : 1))
      }
      const exact = ([key, { max_ns, p50_ns, p90_ns, p95_ns, p99_ns, p999_ns, ...row }]: [string, Rollup]) => ({
        ...{ key, ...row },
        buckets: [p50_ns, p90_ns, p95_ns, p99_ns, p999_ns].map(indexOf)
      })
      const [found, expected] = [rowsOf(counted), rowsOf(told)]
      assert.deepEqual(found.map(exact), expected.map(exact))
      for (const [i, [key, row]] of found.entries()) {
        const truth = expected[i]?.[1].max_ns ?? assert.fail()
        assert.ok(row.max_ns >= truth && row.max_ns < truth * 1.032, `${key}: ${row.max_ns} instead of ${truth}`)
      }
    })
  }

  test('a window closes when its counted calls are there as well, and with them at once', () => {
    const handler = new Rollups(seconds)
    const count = (us: number) => ({ counted_until_us: 1e9 + us })
    const rows = tellings(handler, [
      at(0.5, 1, { ...count(3000), events: [call(0.1)] }),
      at(1.2, 2, count(3000)),
      at(1.9, 3, { ...count(1_003_000), summaries: [summaryOf({ time_offset_ns: -897_000_000 })] }),
      at(2.5, 4, count(1_003_000))
    ])
    assert.deepEqual(
      rows.map((of) => of.map(({ count, revision }) => [count, revision])),
      [[], [], [[5, 1]], []]
    )
    assert.equal(handler.counters()['counted'], 4)
  })

  test('it does not wait for them longer than it is correctable', () => {
    const handler = new Rollups({ ...seconds, latenessMs: 2000 })
    const log = [at(0.5, 1, { events: [call(0.1)] }), at(3.0, 2), at(3.2, 3), at(4, 4)]
    const told = tellings(
      handler,
      log.map((batch) => ({ ...batch, counted_until_us: 1e9 }))
    )
    const counts = told.map((rows) => rows.map(({ count }) => count))
    assert.deepEqual(counts, [[], [], [1], []])
  })

  test('of a longer time they are of the second that it ended in; too late, they are told as late', () => {
    const handler = new Rollups({ ...seconds, latenessMs: 2000 })
    const rows = tellings(handler, [
      at(60.1, 1, { summaries: [summaryOf({ time_offset_ns: -97_000_000, duration_ns: 60e9 })] }),
      at(70, 2),
      at(70, 3, { summaries: [summaryOf({ time_offset_ns: -9e9 })] })
    ]).flat()
    assert.deepEqual(
      rows.map(({ window_start, count }) => [window_start - epochUs, count]),
      [[59e6, 4]]
    )
    assert.equal(handler.counters()['late'], 4)
  })
})
