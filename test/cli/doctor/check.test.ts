import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fail, formatResults, ok, runCheck } from '../../../cli/doctor/check.ts'

test('a check that throws has failed with its message', async () => {
  const result = await runCheck({ name: 'x', look: () => Promise.reject(new Error('no such thing')) })
  assert.deepEqual(result, { name: 'x', status: 'fail', detail: 'no such thing', remedy: undefined })
})

test('what to do stands below what was found', () => {
  const lines = formatResults(
    [
      { name: 'kernel', ...ok('6.18') },
      { name: 'btf', ...fail('missing', 'boot another') }
    ],
    80
  )
  assert.deepEqual(lines, [
    '      check   found',
    'ok    kernel  6.18',
    'fail  btf     missing',
    '              → boot another'
  ])
})

test('what does not fit the terminal goes on in the next line, whole', () => {
  const lines = formatResults([{ name: 'btf', ...fail('none was found here', 'boot another kernel than this') }], 27)
  assert.deepEqual(lines, [
    '      check  found',
    'fail  btf    none was found',
    '             here',
    '             → boot another',
    '               kernel than',
    '               this'
  ])
})
