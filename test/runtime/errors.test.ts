import assert from 'node:assert/strict'
import { test } from 'node:test'
import { exitCodeOf, messageOf, RingsideError } from '../../runtime/errors.ts'

test('exit codes are those of sysexits', () => {
  const codes = ['USAGE', 'DATA', 'NO_INPUT', 'UNAVAILABLE', 'SOFTWARE', 'OS', 'NO_PERMISSION', 'CONFIG'] as const
  assert.deepEqual(
    codes.map((code) => new RingsideError(code, '').exitCode),
    [64, 65, 66, 69, 70, 71, 77, 78]
  )
  assert.equal(exitCodeOf(new TypeError('x')), 70)
})

test('only UNAVAILABLE can be retried by default', () => {
  assert.equal(new RingsideError('UNAVAILABLE', '').canRetry, true)
  assert.equal(new RingsideError('DATA', '').canRetry, false)
  assert.equal(new RingsideError('UNAVAILABLE', '', { canRetry: false }).canRetry, false)
})

test('any thrown value has a message', () => {
  assert.equal(messageOf(new Error('x')), 'x')
  assert.equal(messageOf('y'), 'y')
})
