import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mayLoadPrograms } from '../../cli/live-kernel.ts'

test('CAP_BPF with CAP_PERFMON, or CAP_SYS_ADMIN, is enough', () => {
  assert.equal(mayLoadPrograms('000001ffffffffff'), true)
  assert.equal(mayLoadPrograms('000000c000000000'), true)
  assert.equal(mayLoadPrograms('0000000000200000'), true)
  assert.equal(mayLoadPrograms('0000008000000000'), false)
  assert.equal(mayLoadPrograms('0000000000000000'), false)
})
