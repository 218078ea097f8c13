import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { RingsideError } from '../../../runtime/errors.ts'
import { isTransient, toRingsideError } from '../../../wire/kafkajs/library.ts'

const require = createRequire(import.meta.url)
const { KafkaJSConnectionError, KafkaJSNonRetriableError, KafkaJSProtocolError } = require('kafkajs/src/errors')

const system = (code: string): Error => Object.assign(new Error(code), { code })
const wrapped = (cause: Error): Error => new KafkaJSNonRetriableError(cause, { cause })
const protocol = (type: string, retriable: boolean): Error =>
  new KafkaJSProtocolError(Object.assign(new Error(type), { type, code: 1, retriable }))

test('lost connections, elections and timeouts can be retried', () => {
  for (const error of [
    system('ECONNRESET'),
    system('EPIPE'),
    system('EAI_AGAIN'),
    wrapped(system('ECONNREFUSED')),
    new KafkaJSConnectionError('closed'),
    protocol('NOT_LEADER_FOR_PARTITION', true),
    protocol('CONCURRENT_TRANSACTIONS', false),
    new RingsideError('UNAVAILABLE', 'away')
  ]) {
    assert.ok(isTransient(error), error.message)
    assert.equal(toRingsideError(error, 'cannot x', ['k:1']).code, 'UNAVAILABLE')
  }
})

test('a refusal of the broker cannot be retried', () => {
  const refusal = protocol('TOPIC_AUTHORIZATION_FAILED', false)
  assert.equal(isTransient(refusal), false)
  assert.equal(toRingsideError(refusal, 'cannot x', ['k:1']).code, 'DATA')
})

test('a defect is no lost connection', () => {
  const invalid = (() => {
    try {
      Buffer.alloc(-1)
    } catch (error) {
      return error as Error
    }
    throw new Error('expected an error')
  })()
  for (const error of [
    new TypeError('x is not a function'),
    invalid,
    system('ERR_INVALID_ARG_TYPE'),
    wrapped(new TypeError('x is undefined')),
    new RangeError('too large'),
    new RingsideError('SOFTWARE', 'defect')
  ]) {
    assert.equal(isTransient(error), false, error.message)
    const { code, canRetry, message } = toRingsideError(error, 'cannot x', ['k:1'])
    assert.deepEqual([code, canRetry], ['SOFTWARE', false])
    assert.doesNotMatch(message, /Kafka at k:1/)
  }
})
