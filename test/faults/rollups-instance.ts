// An instance of the rollups service to be killed. Arguments: brokers, topic prefix. Prints a line after its first batch;
// SIGTERM drains and ends it.
import { rollupsModule } from '../../consumer/rollups/rollups.ts'
import { startConsumer } from '../../consumer/service.ts'
import { loadConfig } from '../../runtime/load-config.ts'
import { createLog } from '../../runtime/log.ts'

const [, , brokers = '', topicPrefix = ''] = process.argv
const config = loadConfig({ brokers: brokers.split(','), topicPrefix }, undefined, {})
const log = createLog('rollups', process.env['RINGSIDE_LOG_LEVEL'] ?? 'silent')
const service = await startConsumer({ name: 'rollups', module: rollupsModule(config.rollups), config, log })
const watching = setInterval(() => {
  if (service.counters()['batches'] === 0) return
  clearInterval(watching)
  process.stdout.write('reads\n')
}, 50)
process.once('SIGTERM', () => void service.drain())
await service.done
process.exit()
