import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deadLetter } from '../../../consumer/loop/dead-letter.ts'
import { RingsideError } from '../../../runtime/errors.ts'

const original = { key: Buffer.from('web-1'), value: Buffer.from([1, 2, 3]) }
const timeMs = Date.UTC(2026, 0, 2, 3, 4, 5, 678)

test('a dead letter has the original key and value, the reason, and the origin', () => {
  const error = new RingsideError('DATA', 'not an EventBatch')
  const origin = { service: 'audit', topic: 'ringside.events', partition: 2, offset: 12345678901234567890n }
  assert.deepEqual(deadLetter(original, error, origin, timeMs), {
    ...original,
    headers: {
      reason: 'not an EventBatch',
      code: 'DATA',
      service: 'audit',
      topic: 'ringside.events',
      partition: '2',
      offset: '12345678901234567890',
      time: '2026-01-02T03:04:05.678Z'
    }
  })
})

test('an error of a handler has the code HANDLER, and a refused output has no offset', () => {
  const { headers } = deadLetter(original, new TypeError('x is undefined'), { service: 's', topic: 't' }, timeMs)
  assert.deepEqual(headers, {
    reason: 'x is undefined',
    code: 'HANDLER',
    service: 's',
    topic: 't',
    time: '2026-01-02T03:04:05.678Z'
  })
})

test('a long reason is cut', () => {
  const { headers } = deadLetter(original, 'x'.repeat(5000), { service: 's', topic: 't' }, timeMs)
  assert.equal(headers?.['reason']?.length, 1000)
})
