// A consumer service to be killed: copies the seq of each event to a topic. Arguments: brokers, topic prefix, output
// topic. SIGTERM drains and ends it.
import { startConsumer } from '../../consumer/service.ts'
import { loadConfig } from '../../runtime/load-config.ts'
import { createLog } from '../../runtime/log.ts'

const [, , brokers = '', topicPrefix = '', output = ''] = process.argv
const service = await startConsumer({
  name: 'copying',
  module: (batch) => batch.events.map(({ seq }) => ({ to: 'topic', topic: output, key: batch.host, value: seq })),
  config: loadConfig({ brokers: brokers.split(','), topicPrefix }, undefined, {}),
  log: createLog('copying', process.env['RINGSIDE_LOG_LEVEL'] ?? 'silent')
})
process.once('SIGTERM', () => void service.drain())
await service.done
process.exit()
