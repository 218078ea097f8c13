import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRecentEnough } from '../../../cli/doctor/kernel-checks.ts'

test('5.11 is the oldest kernel that will do', () => {
  assert.deepEqual(['5.10.0-28-amd64', '5.11.0', '6.1.0', '4.19.0'].map(isRecentEnough), [false, true, true, false])
})
