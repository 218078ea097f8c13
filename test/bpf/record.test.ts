import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { callsOf, commOf, observe, program, run, type Seen, skip } from './observe.ts'

const byCpu = (events: readonly Seen[]): Map<number, number[]> => {
  const sequences = new Map<number, number[]>()
  for (const { cpu, seq } of events) sequences.set(cpu, [...(sequences.get(cpu) ?? []), seq])
  return sequences
}

describe('records', { skip, timeout: 60_000 }, () => {
  it('number the events of each CPU without a gap while the ring has room', async () => {
    const path = program('tcp')
    const { events, statistics } = await observe({ comms: [commOf('tcp')] }, () => run(path, '4'))
    assert.ok(events.length > 10)
    for (const { cpu, before, last } of statistics.sequences) {
      const sequence = byCpu(events).get(cpu) ?? []
      assert.deepEqual(
        sequence.toSorted((a, b) => a - b),
        Array.from({ length: last - before }, (_, index) => before + 1 + index)
      )
    }
  })

  it('leave a gap for every event that a full ring dropped, and count it by class', async () => {
    const calls = 5000
    const path = program('flood')
    const { events, statistics } = await observe({ comms: [commOf('flood')], ringBytes: 1 << 14 }, () =>
      run(path, String(calls))
    )
    assert.ok(statistics.dropped.io > 0, 'the ring was small enough')
    assert.equal(statistics.emitted.io + statistics.dropped.io, calls)
    assert.equal(statistics.emitted.io, callsOf(events, 'write').length)

    const dropped = Object.values(statistics.dropped).reduce((sum, count) => sum + count, 0)
    const sequences = byCpu(events)
    const missing = statistics.sequences.reduce(
      (sum, { cpu, before, last }) => sum + (last - before) - (sequences.get(cpu)?.length ?? 0),
      0
    )
    assert.equal(missing, dropped)
    assert.equal(statistics.seen, events.length + dropped)
  })

  it('begin their numbers at the monotonic clock, so that no two loads share one', async () => {
    const first = await observe({}, async () => undefined)
    const second = await observe({}, async () => undefined)
    for (const { cpu, last } of first.statistics.sequences) {
      const next = second.statistics.sequences.find((sequence) => sequence.cpu === cpu)
      if (next !== undefined) assert.ok(next.before > last)
    }
  })
})
