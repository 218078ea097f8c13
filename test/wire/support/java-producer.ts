// Kafka's own producer, in Java, from the jars of the local Kafka.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { prepareLocalKafka } from '../../../deploy/kafka/jars.ts'
import { testLog } from '../../support/log.ts'

const run = promisify(execFile)
const program = join(import.meta.dirname, '..', 'programs', 'Produce.java')

/** Why it cannot run, or false: for the `skip` of a test. */
export const javaMissing = (): Promise<string | false> =>
  run('javac', ['-version']).then(
    () => false as const,
    () => 'javac is missing'
  )

/** @param topics one for each codec, by the codec's name in compression.type */
export const produceWithJava = async (
  brokers: readonly string[],
  topics: Readonly<Record<string, string>>,
  values: readonly string[]
): Promise<void> => {
  const jars = await prepareLocalKafka(testLog)
  const sent = run('java', ['-cp', join(jars, '*'), program, brokers.join(','), ...Object.entries(topics).flat()])
  sent.child.stdin?.end(values.join('\n'))
  await sent
}
