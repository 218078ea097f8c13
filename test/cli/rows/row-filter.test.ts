import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileRowFilter } from '../../../cli/rows/row-filter.ts'

const fields = ['pid', 'ret', 'path', 'comm', 'errno', 'bytes']
const row = { pid: 42, ret: -2, path: null, comm: 'curl', errno: 'ENOENT', bytes: 100 }
const matches = (expression: string): boolean => compileRowFilter(expression, fields).matches(row)

test('conditions over numbers, text and null hold as people expect', () => {
  for (const expression of [
    'pid == 42',
    'ret < 0 && errno != null',
    'pid + 1 == 43',
    'pid % 2 == 0',
    'path == null',
    'bytes > 99',
    'comm in ["curl", "wget"]',
    'comm.startsWith("cu")',
    'errno == "ENOENT"'
  ]) {
    assert.equal(matches(expression), true, expression)
  }
  assert.equal(matches('pid == 43'), false)
})

test('a row that the expression has no value for is left out, and counted', () => {
  const filter = compileRowFilter('path.startsWith("/etc")', fields)
  assert.equal(filter.matches(row), false)
  assert.equal(filter.matches({ ...row, path: '/etc/passwd' }), true)
  assert.equal(filter.unevaluated, 1)
  assert.match(String(filter.firstProblem), /startsWith/)
})

test('what is not a condition over the fields is refused, with the fields there are', () => {
  for (const [expression, why] of [
    ['pid ==', /Unexpected token/],
    ['prot == 6', /Unknown variable: prot.*Fields: pid, ret/],
    ['"text"', /a value of type string, not true or false/]
  ] as const) {
    assert.throws(() => compileRowFilter(expression, fields), { code: 'USAGE', message: why })
  }
})

test('a field that is no condition by itself leaves rows out, and says so', () => {
  const filter = compileRowFilter('pid', ['pid'])
  assert.equal(filter.matches({ pid: 7 }), false)
  assert.equal(filter.unevaluated, 1)
  assert.equal(filter.firstProblem, 'it gives 7, not true or false')
})
