// Fetches the jars of the local Kafka ahead of its first start.
import { exitCodeOf, messageOf } from '../../runtime/errors.ts'
import { createLog } from '../../runtime/log.ts'
import { prepareLocalKafka } from './jars.ts'

const log = createLog('kafka')
try {
  await prepareLocalKafka(log)
} catch (error) {
  log.error(messageOf(error))
  process.exitCode = exitCodeOf(error)
}
