import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compileRowFilter } from '../../../cli/rows/row-filter.ts'

const fields = ['pid', 'ret', 'path', 'comm', 'errno', 'bytes']
const row = { pid: 42, ret: -2, path: null, comm: 'curl', errno: 'ENOENT', bytes: 100 }
const matches = (expression: string): boolean => compileRowFilter(expression, fields).matches(row)

test('conditions over numbers, text and null match', () => {
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

test('a row that the condition cannot be evaluated for does not match, and is counted', () => {
  const filter = compileRowFilter('path.startsWith("/etc")', fields)
  assert.equal(filter.matches(row), false)
  assert.equal(filter.matches({ ...row, path: '/etc/passwd' }), true)
  assert.equal(filter.unevaluated, 1)
  assert.match(String(filter.firstProblem), /startsWith/)
})

test('an expression that is no condition over the fields is refused, and the error lists the fields', () => {
  for (const [expression, why] of [
    ['pid ==', /Unexpected token/],
    ['prot == 6', /Unknown variable: prot.*Fields: pid, ret/],
    ['"text"', /its result has type string, not bool/]
  ] as const) {
    assert.throws(() => compileRowFilter(expression, fields), { code: 'USAGE', message: why })
  }
})

test('a field that is not a boolean matches no row, and the reason is given', () => {
  const filter = compileRowFilter('pid', ['pid'])
  assert.equal(filter.matches({ pid: 7 }), false)
  assert.equal(filter.unevaluated, 1)
  assert.equal(filter.firstProblem, 'its result is 7, not true or false')
})
