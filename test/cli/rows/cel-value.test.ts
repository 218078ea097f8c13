import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toCelRecord, withVariables } from '../../../cli/rows/cel-value.ts'

test('whole numbers become BigInts at any depth, other values stay as they are', () => {
  assert.deepEqual(toCelRecord({ pid: 1, share: 0.5, path: null, evidence: [{ cpu: 3 }], bytes: 7 }), {
    pid: 1n,
    share: 0.5,
    path: null,
    evidence: [{ cpu: 3n }],
    bytes_moved: 7n
  })
})

test('the field bytes is renamed, text literals and the conversion bytes() are not', () => {
  assert.equal(withVariables('bytes > 10 && comm == "bytes"'), 'bytes_moved > 10 && comm == "bytes"')
  assert.equal(withVariables(`size(bytes('a\\'bytes')) == 1`), `size(bytes('a\\'bytes')) == 1`)
  assert.equal(withVariables('total_bytes + a.bytes'), 'total_bytes + a.bytes')
})
