import assert from 'node:assert/strict'
import { test } from 'node:test'
import pino from 'pino'
import { RingsideError } from '../../runtime/errors.ts'
import type { TopicDescription } from '../../wire/client.ts'
import { isWeak, reportDurability } from '../../wire/durability.ts'

const topic = (replicas: number, minInsyncReplicas: number | undefined): TopicDescription => ({
  name: 'ringside.events',
  partitions: 1,
  replicas,
  minInsyncReplicas,
  messages: 0n
})

/** The messages of the log after a report. */
const reported = async (answers: (TopicDescription[] | Error)[]) => {
  const lines: { level: number; msg: string; topic?: string }[] = []
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) })
  let asked = 0
  const describeTopics = async (): Promise<TopicDescription[]> => {
    const answer = answers[asked++]
    if (answer === undefined || answer instanceof Error) throw answer
    return answer
  }
  await reportDurability({ client: { describeTopics }, topics: [], brokers: ['k1:9092', 'k2:9092'], log, retryMs: 1 })
  return { lines, asked }
}

test('a topic of three replicas is weak when one of them is enough for an acknowledgement', () => {
  assert.equal(isWeak(topic(3, 1)), true)
  assert.equal(isWeak(topic(5, 1)), true)
  assert.equal(isWeak(topic(3, 2)), false)
  assert.equal(isWeak(topic(1, 1)), false)
  assert.equal(isWeak(topic(2, 1)), false)
  assert.equal(isWeak(topic(3, undefined)), false)
})

test('a weak topic is logged with the command that repairs it, and others are not', async () => {
  const { lines } = await reported([[topic(3, 2), topic(3, 1), topic(1, 1)]])
  assert.equal(lines.length, 1)
  assert.match(
    lines[0]?.msg ?? '',
    /run `kafka-configs\.sh --bootstrap-server k1:9092,k2:9092 --alter --entity-type topics --entity-name ringside\.events --add-config min\.insync\.replicas=2`/
  )
})

test('the report waits for Kafka, and ends when Kafka refuses', async () => {
  const away = new RingsideError('UNAVAILABLE', 'away')
  const late = await reported([away, away, [topic(3, 1)]])
  assert.deepEqual([late.asked, late.lines.length], [3, 1])
  const refused = await reported([new RingsideError('DATA', 'not permitted')])
  assert.deepEqual([refused.asked, refused.lines.length], [1, 0])
})
