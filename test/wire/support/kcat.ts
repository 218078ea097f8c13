// kcat, the command line of librdkafka: a Kafka client that others wrote.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

export const kcat = (...args: string[]) => run('kcat', args)

/** Why kcat cannot be used, or false: for the `skip` of a test. */
export const kcatMissing: string | false = await kcat('-V').then(
  () => false,
  () => 'kcat is missing'
)
