import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fail, formatResults, ok, runCheck } from '../../../cli/doctor/check.ts'

test('a check that throws fails with the message of its error', async () => {
  const result = await runCheck({ name: 'x', run: () => Promise.reject(new Error('no such thing')) })
  assert.deepEqual(result, { name: 'x', status: 'fail', detail: 'no such thing', remedy: undefined })
})

test('the fix is below the result', () => {
  const lines = formatResults(
    [
      { name: 'kernel', ...ok('6.18') },
      { name: 'btf', ...fail('missing', 'boot another') }
    ],
    80
  )
  assert.deepEqual(lines, [
    '      check   result',
    'ok    kernel  6.18',
    'fail  btf     missing',
    '              → boot another'
  ])
})

test('long texts are wrapped at spaces', () => {
  const lines = formatResults([{ name: 'btf', ...fail('none was found here', 'boot another kernel than this') }], 27)
  assert.deepEqual(lines, [
    '      check  result',
    'fail  btf    none was found',
    '             here',
    '             → boot another',
    '               kernel than',
    '               this'
  ])
})
