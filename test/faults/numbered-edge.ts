// An edge to be killed, on a fake kernel: the ret of each event is the next number. Prints its counters five times a
// second.
import pino from 'pino'
import { startEdge } from '../../producer/edge.ts'
import { loadConfig } from '../../runtime/load-config.ts'
import { createKafkaClient } from '../../wire/kafka.ts'
import { FakeKernel } from '../support/fake-kernel.ts'

const [brokers = '', topicPrefix = '', spoolPath = '', from = ''] = process.argv.slice(2)
const eventsPerMs = 2

const log = pino({ level: process.env['RINGSIDE_LOG_LEVEL'] ?? 'silent' }, pino.destination(2))
const kernel = new FakeKernel()
const service = await startEdge({
  config: loadConfig({ host: 'killed', topicPrefix, edge: { batchEvents: 25 } }, undefined, {}),
  log,
  source: kernel,
  client: createKafkaClient({ brokers: brokers.split(','), clientId: 'ringside-test', log }),
  spoolPath
})
const say = (): void => {
  process.stdout.write(`${JSON.stringify(service.counters())}\n`)
}
let next = Number(from)
const path = `/${'x'.repeat(500)}`
const emitting = setInterval(() => {
  for (let i = 0; i < 20 * eventsPerMs; i++) {
    kernel.emit({ class: i % 4, ret: BigInt(next++), path, timeNs: process.hrtime.bigint() })
  }
}, 20)
setInterval(say, 200).unref()
process.once('SIGTERM', async () => {
  clearInterval(emitting)
  await service.stop()
  say()
  process.exit(0)
})
