import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { describe, it } from 'node:test'
import pino from 'pino'
import { summaryCpu } from '../../bpf/event.ts'
import { startEdge } from '../../producer/edge.ts'
import { openLiveSource } from '../../producer/source/live-source.ts'
import type { SourceStatistics } from '../../producer/source/source.ts'
import { loadConfig } from '../../runtime/load-config.ts'
import type { Producer } from '../../wire/client.ts'
import { decode } from '../../wire/codec.ts'
import type { EventBatch } from '../../wire/types.ts'
import { kernelTimeoutMs } from '../support/kernel.ts'
import { callsOf, commOf, observe, program, quiet, run, type Seen, skip } from './observe.ts'

const byCpu = (events: readonly Seen[]): Map<number, number[]> => {
  const sequences = new Map<number, number[]>()
  for (const { cpu, seq } of events) sequences.set(cpu, [...(sequences.get(cpu) ?? []), seq])
  return sequences
}

/** Without the seqs of summaries, which `observe` does not return. */
const ofCpus = ({ sequences }: SourceStatistics) => sequences.filter(({ cpu }) => cpu !== summaryCpu)

describe('records', { skip, timeout: kernelTimeoutMs }, () => {
  it('have consecutive seqs on each CPU while the ring has room', async () => {
    const path = program('tcp')
    const { events, statistics } = await observe({ comms: [commOf('tcp')] }, () => run(path, '4'))
    assert.ok(events.length > 10)
    for (const { cpu, before, last } of ofCpus(statistics)) {
      const sequence = byCpu(events).get(cpu) ?? []
      assert.deepEqual(
        sequence.toSorted((a, b) => a - b),
        Array.from({ length: last - before }, (_, index) => before + 1 + index)
      )
    }
  })

  it('have a gap for every event that a full ring dropped, which is counted by class', async () => {
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
    const missing = ofCpus(statistics).reduce(
      (sum, { cpu, before, last }) => sum + (last - before) - (sequences.get(cpu)?.length ?? 0),
      0
    )
    assert.equal(missing, dropped)
    assert.equal(statistics.seen, events.length + dropped)
  })

  it('of processes and connections are complete while writes overflow the rest ring', async (t) => {
    const rounds = 1000
    const [known, flood] = [program('known'), program('flood')]
    const filter = { pids: [], comms: [commOf('known'), commOf('flood')], cgroups: [] }
    const source = await openLiveSource({ ...quiet, ...filter, securityRingBytes: 16 << 20, ringBytes: 1 << 16 })
    const kafka: EventBatch[] = []
    const send: Producer['send'] = async (_topic, messages) => {
      for (const { value } of messages) kafka.push(decode('EventBatch', value as Buffer))
    }
    const client = { producer: async () => ({ send, close: async () => {} }) }
    const config = loadConfig({ host: 'flooded' }, undefined, {})
    const service = await startEdge({ config, log: pino({ level: 'silent' }), source, client })
    const floods = Array.from({ length: availableParallelism() }, () => spawn(flood, [String(2 ** 40)]))
    const began = performance.now()
    const { code } = await run(known, String(rounds))
    const seconds = (performance.now() - began) / 1000
    for (const child of floods) child.kill('SIGKILL')
    await Promise.all(floods.map((child) => once(child, 'close')))
    await service.drain()
    const { seen, dropped_ring_full, dropped_process, dropped_network, dropped_io } = service.counters()
    t.diagnostic(`${Math.round((seen ?? 0) / seconds)} events/s for ${seconds.toFixed(1)} s, ${dropped_io} io dropped`)

    assert.equal(code, 0)
    assert.deepEqual([dropped_process, dropped_network], [0, 0])
    assert.ok((dropped_io ?? 0) > 0, 'the rest ring was small enough')
    const count = { connect: 0, accept4: 0, sendto: 0, execve: 0 }
    const numbers = new Map<number, Set<number>>()
    let [events, summaries, covered, clockUs] = [0, 0, 0, 0]
    for (const { events: rows, summaries: counted, processes, sequences, clock } of kafka) {
      for (const event of rows) {
        if (processes[event.process]?.comm === commOf('known') && event.kind === 'syscall') {
          if (event.syscall in count) count[event.syscall as keyof typeof count]++
        }
        assert.ok(clock.monotonic_us + event.time_offset_ns / 1000 >= clockUs, 'it ended before an earlier clock')
        if (!numbers.has(event.cpu)) numbers.set(event.cpu, new Set())
        numbers.get(event.cpu)?.add(event.seq)
      }
      clockUs = clock.monotonic_us
      events += rows.length
      summaries += counted.length
      covered += sequences.reduce((sum, { first, last }) => sum + last - first + 1, 0)
    }
    // vfork: the child calls execve under its parent's comm
    assert.deepEqual(count, { connect: rounds, accept4: rounds, sendto: rounds, execve: rounds })
    const declared = kafka.flatMap(({ drops }) => drops).reduce((sum, drop) => sum + drop.count, 0)
    assert.equal(covered - events - summaries, declared)
    assert.equal(declared, dropped_ring_full)
    assert.equal(
      [...numbers.values()].reduce((sum, each) => sum + each.size, 0),
      events
    )
  })

  it('never have the same seq in two loads of the programs', async () => {
    const first = await observe({}, async () => undefined)
    const second = await observe({}, async () => undefined)
    for (const { cpu, last } of first.statistics.sequences) {
      const next = second.statistics.sequences.find((sequence) => sequence.cpu === cpu)
      if (next !== undefined) assert.ok(next.before > last)
    }
  })
})
