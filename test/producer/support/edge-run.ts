// An edge between a fake kernel and a fake Kafka, and the promises that its stream keeps.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Reduction } from '../../../producer/budget/budget.ts'
import { type EdgeService, startEdge } from '../../../producer/edge.ts'
import type { Config } from '../../../runtime/config.ts'
import { loadConfig } from '../../../runtime/load-config.ts'
import type { Message, Producer } from '../../../wire/client.ts'
import { decode } from '../../../wire/codec.ts'
import type { EventBatch, Summary } from '../../../wire/types.ts'
import { FakeKernel } from '../../support/fake-kernel.ts'
import { testLog as log } from '../../support/log.ts'

/** Keeps the messages it receives; fails or waits as `behave` does. */
export class FakeKafka {
  readonly batches: EventBatch[] = []
  readonly messages: { topic: string; message: Message }[] = []
  inFlight = 0
  mostInFlight = 0
  producers = 0
  behave: () => Promise<void> = async () => {}
  /** Runs after the messages were stored, before the acknowledgement. */
  answer: () => Promise<void> = async () => {}

  async producer(): Promise<Producer> {
    this.producers++
    return { send: (topic, messages) => this.#send(topic, messages), close: async () => {} }
  }

  async #send(topic: string, messages: readonly Message[]): Promise<void> {
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight)
    try {
      await this.behave()
    } finally {
      this.inFlight--
    }
    for (const message of messages) {
      this.messages.push({ topic, message })
      this.batches.push(decode('EventBatch', message.value as Buffer))
    }
    await this.answer()
  }
}

export const start = async (
  edge: Partial<Config['edge']> = {},
  kernel = new FakeKernel(),
  spoolPath?: string
): Promise<{ kernel: FakeKernel; kafka: FakeKafka; service: EdgeService }> => {
  const kafka = new FakeKafka()
  const config = loadConfig({ host: 'test-host', edge }, undefined, {})
  const reduce = (reduction: Reduction): void => {
    kernel.reductions.push(reduction)
  }
  const service = await startEdge({ config, log, source: kernel, client: kafka, spoolPath, reduce })
  return { kernel, kafka, service }
}

export const totals = (
  batches: readonly EventBatch[]
): { covered: number; events: number; drops: Record<string, number> } => {
  const drops: Record<string, number> = {}
  for (const { class: name, count, reason } of batches.flatMap((batch) => batch.drops)) {
    drops[`${name} ${reason}`] = (drops[`${name} ${reason}`] ?? 0) + count
  }
  const covered = batches
    .flatMap((batch) => batch.sequences)
    .filter(({ cpu }) => cpu >= 0)
    .reduce((sum, { first, last }) => sum + last - first + 1, 0)
  return { covered, events: batches.reduce((sum, batch) => sum + batch.events.length, 0), drops }
}

export const dropped = (drops: Record<string, number>): number => Object.values(drops).reduce((a, b) => a + b, 0)

/** Asserts the stream's promises for a run that was drained. */
export const assertAccounted = (batches: readonly EventBatch[], counters: Readonly<Record<string, number>>): void => {
  assert.deepEqual(
    batches.map((batch) => batch.batch),
    batches.map((_, i) => i + 1)
  )
  const last = new Map<number, number>()
  for (const { cpu, first, last: end } of batches.flatMap((batch) => batch.sequences)) {
    assert.equal(first, (last.get(cpu) ?? (cpu < 0 ? 0 : 1_000 * (cpu + 1))) + 1, 'ranges of a CPU are contiguous')
    last.set(cpu, end)
  }
  const { covered, events, drops } = totals(batches)
  assert.equal(covered, events + dropped(drops), 'gaps equal the declared drops')
  assert.equal(counters['seen'], covered)
  assert.equal(counters['published'], events)
  assert.equal(counters['dropped'], dropped(drops))
  assert.equal(batches.at(-1)?.final, true)
  assert.equal(batches.filter((batch) => batch.final).length, 1)
  for (let i = 1; i < batches.length; i++) {
    const [before, batch] = [batches[i - 1], batches[i]] as [EventBatch, EventBatch]
    assert.ok(batch.clock.monotonic_us >= before.clock.monotonic_us, 'the clock never steps back')
  }
}

export const now = (): bigint => process.hrtime.bigint()

export const summariesOf = (batches: readonly EventBatch[]): Summary[] => batches.flatMap(({ summaries }) => summaries)

/** Waits at least 10 s for a state of the edge. */
export const until = async (holds: () => boolean): Promise<void> => {
  for (let i = 0; i < 1_000 && !holds(); i++) await sleep(10)
  assert.ok(holds())
}
