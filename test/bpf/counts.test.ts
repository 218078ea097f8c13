import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { LiveSource } from '../../producer/live-source.ts'
import { openLiveSource } from '../../producer/live-source.ts'
import { eventField, RawEvents, summaryKind } from '../../producer/raw-event.ts'
import { noMark } from '../../producer/source.ts'
import { commOf, program, quiet, run, skip } from './observe.ts'

const writeNumber = process.arch === 'x64' ? 1 : 64
const ebadf = 9

interface Counted {
  count: number
  errors: number
  bytes: number
  /** Calls by errno. */
  errnos: Record<number, number>
  latencies: number
}

/** What the summaries that can be read now say of one call, by pid; all of them are then released. */
const takeCounts = (
  source: LiveSource,
  nr: number,
  before: { summaries: number; calls: number }
): Map<number, Counted> => {
  const batch = new Uint8Array(1 << 20)
  const raw = new RawEvents(batch)
  const found = new Map<number, Counted>()
  for (let bytes = source.read(batch); bytes > 0; bytes = source.read(batch)) {
    for (let at = 0; at < bytes; at += raw.u32(at)) {
      if (raw.u8(at + eventField.kind) !== summaryKind) continue
      before.summaries += raw.u32(at + eventField.step)
      before.calls += raw.u64(at + eventField.path)
      if (raw.u16(at + eventField.nr) !== nr) continue
      const pid = raw.u32(at + eventField.pid)
      const row = found.get(pid) ?? { count: 0, errors: 0, bytes: 0, errnos: {}, latencies: 0 }
      found.set(pid, row)
      const from = at + eventField.path
      row.count += raw.u64(from)
      row.errors += raw.u64(from + 8)
      row.bytes += raw.u64(from + 24)
      for (let cell = from + 32; cell < from + raw.u16(at + eventField.pathSize); cell += 8) {
        const [what, index, count] = [raw.u16(cell), raw.u16(cell + 2), raw.u32(cell + 4)]
        if (what === 0) row.latencies += count
        if (what === 2) row.errnos[index] = (row.errnos[index] ?? 0) + count
      }
    }
  }
  const none = { run: '', batch: 0, closed: [], declared: [0, 0, 0, 0], events: [0, 0, 0, 0] }
  source.release({ ...noMark, summaries: before.summaries }, none)
  return found
}

const merge = (into: Map<number, Counted>, from: Map<number, Counted>): void => {
  for (const [pid, row] of from) {
    const sum = into.get(pid) ?? { count: 0, errors: 0, bytes: 0, errnos: {}, latencies: 0 }
    into.set(pid, sum)
    sum.count += row.count
    sum.errors += row.errors
    sum.bytes += row.bytes
    sum.latencies += row.latencies
    for (const [errno, count] of Object.entries(row.errnos)) {
      sum.errnos[Number(errno)] = (sum.errnos[Number(errno)] ?? 0) + count
    }
  }
}

describe('counts', { skip, timeout: 60_000 }, () => {
  it('have every call of a process, with its outcome, over any number of flips', async () => {
    const calls = 300_000
    const path = program('flood')
    const source = await openLiveSource({ ...quiet, comms: [commOf('flood')], calls: { write: 'count' } })
    const place = { summaries: 0, calls: 0 }
    const all = new Map<number, Counted>()
    try {
      let isRunning = true
      const done = Promise.all([run(path, String(calls)), run(path, String(calls))]).finally(() => {
        isRunning = false
      })
      let flips = 0
      while (isRunning) {
        if (await source.summarize()) flips++
        merge(all, takeCounts(source, writeNumber, place))
      }
      const processes = await done
      await source.summarize()
      merge(all, takeCounts(source, writeNumber, place))
      await source.summarize()
      merge(all, takeCounts(source, writeNumber, place))
      assert.ok(flips > 1, `${flips} flips`)
      for (const { pid } of processes) {
        const { count, errors, bytes, errnos, latencies } = all.get(pid) as Counted
        assert.deepEqual(
          { count, errors, bytes, errnos, latencies },
          { count: calls, errors: calls, bytes: 0, errnos: { [ebadf]: calls }, latencies: calls }
        )
      }
      const { counted, uncounted } = source.statistics()
      const sum = Object.values(counted ?? {}).reduce((a, b) => a + b, 0)
      assert.equal(place.calls, sum, 'of all calls that the kernel counted')
      assert.ok(sum >= 2 * calls)
      assert.equal(uncounted, 0)
    } finally {
      source.close()
    }
  })
})
