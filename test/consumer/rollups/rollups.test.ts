import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Output } from '../../../consumer/handler.ts'
import { Rollups } from '../../../consumer/rollups/rollups.ts'
import type { Config } from '../../../runtime/config.ts'
import { decode, encode } from '../../../wire/codec.ts'
import { indexOf } from '../../../wire/sketch.ts'
import type { Bucket, Event, EventBatch, Process, Rollup, Summary } from '../../../wire/types.ts'
import { batchOf, contextOf, eventOf, hosted, processOf, summaryOf } from '../support/batches.ts'
import { random } from '../support/random.ts'

const options: Config['rollups'] = {
  windowsMs: [1000, 10_000],
  by: ['process'],
  earlyMs: 0,
  maxKeys: 20_000,
  latenessMs: 10_000
}
const epochUs = 1_767_225_600_000_000
const syscalls = ['read', 'write', 'openat', 'connect']

type Random = () => number
const pick = (next: Random, below: number): number => Math.floor(next() * below)

const rollupsOf = (outputs: Iterable<Output>): Rollup[] =>
  [...outputs].map((output) => {
    assert.equal(output.to, 'rollups')
    return output.value as Rollup
  })

const keyOf = (row: Rollup): string =>
  [row.host, row.window_ms, row.window_start, row.pid, row.start_us, row.syscall].join(' ')

const highestRevisions = (rows: readonly Rollup[]): Map<string, Rollup> => {
  const highest = new Map<string, Rollup>()
  for (const row of rows) {
    const known = highest.get(keyOf(row))
    if (known === undefined || row.revision >= known.revision) highest.set(keyOf(row), row)
  }
  return highest
}

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

interface CountedCall {
  readonly duration_ns: number
  readonly ret: number
}

/** As the kernel counts calls of one process and name that ended in a time. */
const summarize = (calls: readonly CountedCall[], fields: Partial<Summary>): Summary => {
  const bytes = fields.syscall === 'read' || fields.syscall === 'write' ? calls.filter(({ ret }) => ret > 0) : []
  const indexes = calls.map(({ duration_ns }) => indexOf(duration_ns))
  const latency = [...Map.groupBy(indexes, (index) => index)].map(
    ([index, { length: count }]): Bucket => ({ index, count })
  )
  return summaryOf({
    count: calls.length,
    errors: calls.filter(({ ret }) => ret < 0).length,
    total_ns: calls.reduce((sum, { duration_ns }) => sum + duration_ns, 0),
    bytes: bytes.reduce((sum, { ret }) => sum + ret, 0),
    latency: latency.sort((a, b) => a.index - b.index),
    sizes: [],
    errnos: [],
    ...fields
  })
}

/** The calls that the summaries of a stream were made of. */
const countedCalls = new Map<Summary, readonly CountedCall[]>()

/** What batches hold, as it is said in one with another clock, behind the processes that this one has. */
const againIn = (batch: EventBatch, earlier: readonly EventBatch[]): EventBatch => {
  const again = {
    ...batch,
    processes: [...batch.processes],
    events: [...batch.events],
    summaries: [...batch.summaries]
  }
  for (const { clock, processes, events, summaries } of earlier) {
    const moved = <Of extends Event | Summary>(of: Of): Of => ({
      ...of,
      process: of.process + again.processes.length,
      time_offset_ns: of.time_offset_ns + (clock.wall_us - batch.clock.wall_us) * 1000
    })
    again.events.push(...events.map(moved))
    for (const summary of summaries) {
      const copy = moved(summary)
      countedCalls.set(copy, countedCalls.get(summary) ?? assert.fail())
      again.summaries.push(copy)
    }
    again.processes.push(...processes)
  }
  return again
}

/**
 * Batches of several hosts and runs; events up to 9 s out of order, some batches twice; every run ends in order, or is
 * taken over by one that sends again what its last batches held.
 */
const streamOf = (seed: number): EventBatch[] => {
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
    host.nowUs += pick(next, 500_000)
    host.batch++
    const processes = Array.from({ length: 4 }, () => {
      const pid = 100 + pick(next, 6)
      return processOf({ pid, start_us: pid * 1000, comm: `c${pid}`, exe: null })
    })
    const final = i >= 400 - 3 || next() < 0.02
    const summaries = Array.from({ length: pick(next, 3) }, () => {
      const calls = Array.from({ length: 1 + pick(next, 50) }, () => ({
        duration_ns: 1 + pick(next, 2 ** pick(next, 33)),
        ret: next() < 0.2 ? -11 : pick(next, 4096)
      }))
      const summary = summarize(calls, {
        process: pick(next, processes.length),
        syscall: syscalls[pick(next, syscalls.length)] as string,
        time_offset_ns: -pick(next, 1e8),
        duration_ns: next() < 0.1 ? 5e9 : 1e9
      })
      countedCalls.set(summary, calls)
      return summary
    })
    const made = batchOf({
      host: host.name,
      run: `${host.name}-${host.run}`,
      batch: host.batch,
      continues: host.dead[0] === undefined ? null : { run: host.dead[0].run, batch: host.dead[0].batch - 1 },
      final,
      clock: { monotonic_us: 1e9 + host.nowUs, wall_us: epochUs + host.nowUs },
      counted_until_us: seed % 3 === 0 ? -1 : 1e9 + host.nowUs - pick(next, 1e6),
      processes,
      summaries,
      events: Array.from({ length: pick(next, 30) }, () =>
        eventOf({
          kind: next() < 0.1 ? 'exec' : 'syscall',
          syscall: syscalls[pick(next, syscalls.length)] as string,
          process: pick(next, processes.length),
          time_offset_ns: -pick(next, next() < 0.1 ? Math.min(9e9, host.nowUs * 1000) : 1e8),
          duration_ns: pick(next, 2 ** pick(next, 33)),
          ret: next() < 0.2 ? -11 : pick(next, 4096)
        })
      )
    })
    const batch = againIn(made, host.dead)
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

interface Truth {
  /** Calls that came in summaries: how long the longest took is known by its bucket. */
  counted: number
  count: number
  errors: number
  bytes: number
  total_ns: number
  durations: number[]
}

/** Every window of a stream, from all of its calls at once. */
const recompute = (log: readonly EventBatch[]): Map<string, Truth> => {
  const windows = new Map<string, Truth>()
  const seen = new Set<string>()
  const add = (batch: EventBatch, of: Event | Summary, offsetNs: number, calls: readonly CountedCall[]): void => {
    const name = `${'count' in of ? -1 : of.cpu} ${of.seq}`
    if (seen.has(name)) return
    seen.add(name)
    const process = batch.processes[of.process] ?? assert.fail()
    const timeNs = BigInt(batch.clock.wall_us) * 1000n + BigInt(offsetNs)
    for (const windowMs of options.windowsMs) {
      const sizeNs = BigInt(windowMs) * 1_000_000n
      const startUs = ((timeNs / sizeNs) * sizeNs) / 1000n
      const key = [batch.host, windowMs, startUs, process.pid, process.start_us, of.syscall].join(' ')
      const truth = windows.get(key) ?? { counted: 0, count: 0, errors: 0, bytes: 0, total_ns: 0, durations: [] }
      windows.set(key, truth)
      if ('count' in of) truth.counted += of.count
      for (const { ret, duration_ns } of calls) {
        truth.count++
        if (ret < 0) truth.errors++
        else if (of.syscall === 'read' || of.syscall === 'write') truth.bytes += ret
        truth.total_ns += duration_ns
        truth.durations.push(duration_ns)
      }
    }
  }
  for (const batch of log) {
    for (const event of batch.events.filter(({ kind }) => kind === 'syscall')) {
      add(batch, event, event.time_offset_ns, [event])
    }
    for (const summary of batch.summaries) {
      add(batch, summary, summary.time_offset_ns - 500_000_000, countedCalls.get(summary) ?? assert.fail())
    }
  }
  return windows
}

const assertTrue = (rows: readonly Rollup[], truths: Map<string, Truth>): void => {
  const highest = highestRevisions(rows)
  assert.deepEqual([...highest.keys()].sort(), [...truths.keys()].sort())
  for (const [key, truth] of truths) {
    const row = highest.get(key) ?? assert.fail()
    const { count, errors, bytes, total_ns } = row
    const { durations, counted, ...sums } = truth
    assert.deepEqual({ count, errors, bytes, total_ns }, sums, key)
    durations.sort((a, b) => a - b)
    const longest = durations.at(-1) as number
    if (counted === 0) assert.equal(row.max_ns, longest)
    else assert.ok(row.max_ns >= longest && row.max_ns <= longest * 1.032, `${key}: ${row.max_ns}, not ${longest}`)
    for (const [q, found] of [
      [0.5, row.p50_ns],
      [0.95, row.p95_ns],
      [0.99, row.p99_ns]
    ] as const) {
      const value = durations[Math.max(1, Math.ceil(q * count - 1e-9 * count)) - 1] as number
      assert.ok(Math.abs(found - value) <= value * 0.016, `${key}: q ${q} is ${found} instead of ${value}`)
    }
  }
}

/** Handles a log as the consume loop would that commits now and then and is killed at random. */
const runWithKills = (log: readonly EventBatch[], next: Random): { rows: Rollup[]; kills: number } => {
  const rows: Rollup[] = []
  let kills = 0
  let committed = { offset: 0, metadata: undefined as string | undefined }
  for (;;) {
    const handler = new Rollups(options)
    const handle = hosted(handler)
    if (committed.metadata !== undefined) handler.restore(committed.metadata)
    let offset = committed.offset
    for (; offset < log.length; offset++) {
      const outputs = handle(log[offset] as EventBatch, offset)
      if (kills < 12 && next() < 0.01) break
      rows.push(...rollupsOf(outputs))
      if (kills < 12 && next() < 0.01) break
      if (next() < 0.1) {
        const { holdOffset, metadata } = handler.checkpoint()
        assert.ok(Buffer.byteLength(metadata) <= 4096)
        committed = { offset: holdOffset === undefined ? offset + 1 : Number(holdOffset), metadata }
      }
    }
    if (offset === log.length) return { rows, kills }
    kills++
  }
}

describe('rollups', () => {
  for (let seed = 1; seed <= 20; seed++) {
    test(`the highest revisions of stream ${seed} are what its events sum up to`, () => {
      const log = streamOf(seed)
      const handler = new Rollups(options)
      const handle = hosted(handler)
      const rows = log.flatMap((batch, offset) => rollupsOf(handle(batch, offset)))
      assertTrue(rows, recompute(log))
      assert.equal(handler.counters()['late'], 0)
    })

    test(`so they are when stream ${seed} is handled by processes that are killed`, () => {
      const log = streamOf(seed)
      const { rows, kills } = runWithKills(log, random(seed * 1000))
      assert.ok(kills > 0)
      assertTrue(rows, recompute(log))
      const counts = new Map<string, number>()
      for (const row of rows) {
        const revision = `${keyOf(row)} ${row.revision}`
        assert.equal(row.count, counts.get(revision) ?? row.count, `${revision}: a partial window`)
        counts.set(revision, row.count)
      }
    })
  }

  test('a window is emitted at the first batch whose clock is 100 ms past its end, and once', () => {
    const handler = new Rollups({ ...options, windowsMs: [1000] })
    const rows = [at(0.5, 1, { events: [call(0.1), call(0.2)] }), at(1.05, 2), at(1.1, 3), at(1.5, 4)].map(
      (batch, offset) => rollupsOf(handler.handle(batch, contextOf(BigInt(offset))))
    )
    assert.deepEqual(
      rows.map((rows) => rows.map(({ count, revision }) => ({ count, revision }))),
      [[], [], [{ count: 2, revision: 1 }], []]
    )
  })

  test('late calls correct a window, all of a batch in one revision; calls beyond the lateness are counted', () => {
    const handler = new Rollups({ ...options, windowsMs: [1000], maxKeys: 10, latenessMs: 2000 })
    const counts = [
      at(0.5, 1, { events: [call(0.1)] }),
      at(1.2, 2),
      at(1.3, 3, { events: [call(0.9), call(0.8)] }),
      at(3.05, 4, { events: [call(2.5)] }),
      at(3.2, 5, { events: [call(2.7)] }),
      at(4.0, 6, { events: [call(3.5)] })
    ].map((batch, offset) =>
      rollupsOf(handler.handle(batch, contextOf(BigInt(offset)))).map(({ count, revision }) => [revision, count])
    )
    assert.deepEqual(counts, [[], [[1, 1]], [[2, 3]], [[3, 4]], [[4, 5]], []])
    assert.equal(handler.counters()['late'], 1)
  })

  test('the final batch closes all windows, and the next run corrects them', () => {
    const handler = new Rollups(options)
    const first = rollupsOf(handler.handle(at(0.5, 1, { final: true, events: [call(0.1)] }), contextOf(0n)))
    const second = rollupsOf(handler.handle(at(0.9, 1, { run: 'run-2', events: [call(0.1)] }), contextOf(1n)))
    assert.deepEqual(
      first.map(({ window_ms, revision, count }) => [window_ms, revision, count]),
      [
        [1000, 1, 1],
        [10_000, 1, 1]
      ]
    )
    assert.deepEqual(
      second.map(({ window_ms, revision, count }) => [window_ms, revision, count]),
      [
        [1000, 2, 2],
        [10_000, 2, 2]
      ]
    )
  })

  test('processes beyond the bound are summed under other, a row for each call', () => {
    const handler = new Rollups({ ...options, windowsMs: [1000], maxKeys: 3 })
    const processes = Array.from({ length: 10 }, (_, i) => processOf({ pid: i + 1 }))
    const events = processes.flatMap((_, process) => [call(0.1, { process }), call(0.1, { process, syscall: 'write' })])
    const rows = rollupsOf(handler.handle(at(0.5, 1, { final: true, processes, events }), contextOf(0n)))
    assert.deepEqual(
      rows.map(({ pid, comm, workload, syscall, count }) => [pid, comm, workload, syscall, count]),
      [
        [1, 'client', '/usr/bin/client', 'read', 1],
        [1, 'client', '/usr/bin/client', 'write', 1],
        [2, 'client', '/usr/bin/client', 'read', 1],
        [0, 'other', 'other', 'write', 9],
        [0, 'other', 'other', 'read', 8]
      ]
    )
  })

  test('a start in the middle of a run makes no window that began before', () => {
    const handler = new Rollups({ ...options, windowsMs: [1000] })
    const rows = [
      at(0.5, 7, { events: [call(0.1)] }),
      at(1.5, 8, { events: [call(0.9), call(0.1)] }),
      at(2.5, 9)
    ].flatMap((batch, offset) => rollupsOf(handler.handle(batch, contextOf(BigInt(offset)))))
    assert.deepEqual(
      rows.map(({ window_start, count }) => [window_start - epochUs, count]),
      [[1e6, 1]]
    )
    assert.equal(handler.counters()['outside'], 2)
  })

  test('a clock that is stepped back and forth by an hour leaves no window behind', () => {
    const handler = new Rollups(options)
    const rows: Rollup[] = []
    let monotonic_us = 1e9
    let emitted = 0
    for (let i = 0; i < 2000; i++) {
      monotonic_us += 100_000
      const hours = Math.floor(i / 300) % 2
      const clock = { monotonic_us, wall_us: epochUs + monotonic_us + hours * 3600e6 }
      const batch = batchOf({ batch: i + 1, final: i === 1999, clock, events: [call(0.05), call(0.01)] })
      const closed = rollupsOf(handler.handle(batch, contextOf(BigInt(i))))
      rows.push(...closed)
      if (closed.length > 0) emitted = i
      assert.ok(i - emitted < 25, 'windows went on closing')
      assert.ok(i - Number(handler.checkpoint().holdOffset) < 250, 'old batches are let go of')
    }
    const counted = rows.filter(({ window_ms }) => window_ms === 1000).reduce((sum, { count }) => sum + count, 0)
    // Of each of the three steps back, less than the window that it fell into is left out.
    assert.ok(counted <= 4000 && counted >= 4000 - 3 * 2 * 11, `${counted} of 4000`)
  })

  test('a call that claims to be of next year is left out', () => {
    const handler = new Rollups(options)
    handler.handle(at(0.5, 1, { events: [call(-3e7)] }), contextOf(0n))
    assert.deepEqual(rollupsOf(handler.handle(at(0.6, 2, { final: true }), contextOf(1n))), [])
    assert.equal(handler.counters()['outside'], 2)
  })

  test('a host that fell silent is let go when others went on for a minute', () => {
    const handler = new Rollups(options)
    handler.handle(at(0.5, 1, { host: 'gone', run: 'other', events: [call(0.1)] }), contextOf(0n))
    const rows: Rollup[] = []
    for (let i = 1; i <= 70; i++) rows.push(...rollupsOf(handler.handle(at(i, i), contextOf(BigInt(i)))))
    assert.deepEqual(
      rows.map(({ host, count }) => [host, count]),
      [
        ['gone', 1],
        ['gone', 1]
      ]
    )
    assert.ok((handler.checkpoint().holdOffset ?? 0n) > 40n)
  })

  test('the first batch of a run that took over is in the middle of windows', () => {
    const handler = new Rollups({ ...options, windowsMs: [1000] })
    const continues = { run: 'run-0', batch: 5 }
    handler.handle(at(0.5, 1, { continues, events: [call(0.1)] }), contextOf(0n))
    assert.deepEqual(handler.handle(at(2, 2, { final: true }), contextOf(1n)), [])
    assert.equal(handler.counters()['outside'], 1)
  })

  test('times that sum up to more than a record can carry become the greatest that it can', () => {
    const handler = new Rollups({ ...options, windowsMs: [1000] })
    const month = 2_592_000e9
    const events = Array.from({ length: 100 }, () => call(0.1, { syscall: 'futex', duration_ns: month }))
    const summaries = [
      summaryOf({ time_offset_ns: 0, total_ns: 2 ** 53 - 2, bytes: 2 ** 53 - 2, latency: [{ index: 1695, count: 1 }] }),
      summaryOf({ time_offset_ns: 0, total_ns: 2 ** 53 - 2, bytes: 2 ** 53 - 2, latency: [{ index: 2047, count: 1 }] })
    ]
    const rows = rollupsOf(handler.handle(at(0.9, 1, { final: true, events, summaries }), contextOf(0n)))
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
    const handler = new Rollups({ ...options, windowsMs: [1000] })
    const events = [
      call(0.1, { kind: 'io_uring', syscall: 'read', call: 'io_uring_read', ret: 0, duration_ns: 0 }),
      call(0.1, { syscall: 'other', call: 'getppid', ret: 7 })
    ]
    const rows = rollupsOf(handler.handle(at(0.5, 1, { final: true, events }), contextOf(0n)))
    assert.deepEqual(
      rows.map(({ syscall, count, bytes }) => [syscall, count, bytes]),
      [
        ['io_uring_read', 1, 0],
        ['getppid', 1, 0]
      ]
    )
  })
})

describe('rollups of counted calls', () => {
  const seconds: Config['rollups'] = { ...options, windowsMs: [1000] }

  for (let seed = 1; seed <= 10; seed++) {
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
        const handle = hosted(new Rollups(options))
        const rows = highestRevisions(log.flatMap((batch, offset) => rollupsOf(handle(batch, offset))))
        return [...rows].sort(([a], [b]) => (a < b ? -1 : 1))
      }
      const exact = ([key, { count, errors, bytes, total_ns, p50_ns, p95_ns, p99_ns }]: [string, Rollup]) => ({
        ...{ key, count, errors, bytes, total_ns },
        buckets: [p50_ns, p95_ns, p99_ns].map(indexOf)
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
    const rows = [
      at(0.5, 1, { ...count(3000), events: [call(0.1)] }),
      at(1.2, 2, count(3000)),
      at(1.9, 3, { ...count(1_003_000), summaries: [summaryOf({ time_offset_ns: -897_000_000 })] }),
      at(2.5, 4, count(1_003_000))
    ].map((batch, offset) => rollupsOf(handler.handle(batch, contextOf(BigInt(offset)))))
    assert.deepEqual(
      rows.map((of) => of.map(({ count, revision }) => [count, revision])),
      [[], [], [[5, 1]], []]
    )
    assert.equal(handler.counters()['counted'], 4)
  })

  test('it does not wait for them longer than it is correctable', () => {
    const handler = new Rollups({ ...seconds, latenessMs: 2000 })
    const counts = [at(0.5, 1, { events: [call(0.1)] }), at(3.0, 2), at(3.2, 3), at(4, 4)].map((batch, offset) =>
      rollupsOf(handler.handle({ ...batch, counted_until_us: 1e9 }, contextOf(BigInt(offset)))).map(
        ({ count }) => count
      )
    )
    assert.deepEqual(counts, [[], [], [1], []])
  })

  test('of a longer time they are of the second that it ended in; too late, they are told as late', () => {
    const handler = new Rollups({ ...seconds, latenessMs: 2000 })
    const rows = [
      at(60.1, 1, { summaries: [summaryOf({ time_offset_ns: -97_000_000, duration_ns: 60e9 })] }),
      at(70, 2),
      at(70, 3, { summaries: [summaryOf({ time_offset_ns: -9e9 })] })
    ].flatMap((batch, offset) => rollupsOf(handler.handle(batch, contextOf(BigInt(offset)))))
    assert.deepEqual(
      rows.map(({ window_start, count }) => [window_start - epochUs, count]),
      [[59e6, 4]]
    )
    assert.equal(handler.counters()['late'], 4)
  })
})

test('what a window holds grows with its rows, and not with the processes and calls of the batches that it had', () => {
  const calls = Array.from({ length: 200 }, (_, i) => summaryOf({ syscall: `call_${i}` as Summary['syscall'] }))
  const processes = Array.from({ length: 500 }, (_, i) => processOf({ pid: i + 1 }))
  const handler = new Rollups(options)
  handler.handle(at(0, 1, { host: 'host-b', summaries: calls }), contextOf(0n))
  const before = process.memoryUsage().arrayBuffers
  for (let second = 1; second <= 100; second++) {
    const batch = at(second, 1, { host: `host-${second % 10}`, batch: second, processes, summaries: [summaryOf()] })
    handler.handle(batch, contextOf(BigInt(second)))
  }
  // A table of 500 processes and 200 calls takes 400 kB.
  assert.ok(process.memoryUsage().arrayBuffers - before < 10e6)
})
