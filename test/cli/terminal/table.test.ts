import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatTable, TableLayout } from '../../../cli/terminal/table.ts'

test('columns are as wide as their widest cell, and numbers are aligned to the right', () => {
  const lines = formatTable(
    [{ title: 'name' }, { title: 'n', align: 'right' }],
    [
      ['a', '1'],
      ['longer', '100']
    ]
  )
  assert.deepEqual(lines, ['name      n', 'a         1', 'longer  100'])
})

test('a flexible column shrinks first, then the line is cut', () => {
  const columns = [{ title: 'host', flexible: true }, { title: 'text' }]
  const rows = [['a-very-long-host-name', 'connects to the world']]
  const [, line] = formatTable(columns, rows, 31)
  assert.equal(line, 'a-very-…  connects to the world')
  for (const text of formatTable(columns, rows, 12)) assert.ok(text.length <= 12, text)
})

test('streamed rows keep the widths of the first ones', () => {
  const layout = new TableLayout([{ title: 'pid', minWidth: 5, align: 'right' }, { title: 'x' }], [], 80)
  assert.equal(layout.header(), '  pid  x')
  assert.equal(layout.line(['7', 'a']), '    7  a')
  assert.equal(layout.line(['1234567', 'a']), '1234…  a')
})

test('control characters from the kernel never reach the terminal', () => {
  const layout = new TableLayout([{ title: 'comm' }, { title: 'path' }], [], 80)
  assert.equal(layout.line(['a\u001b[2J', 'b\nc\u009b']), 'a\\x…  b\\x0ac\\x9b')
})

test('one long cell neither widens later rows nor fills the terminal', () => {
  const layout = new TableLayout([{ title: 'comm' }, { title: 'path' }], [['x'.repeat(5000), '']], Infinity)
  assert.equal(layout.line(['a', 'b']), `a${' '.repeat(121)}b`)
  assert.equal(layout.line(['a', 'y'.repeat(11_000)]).length, 122 + 1000)
})
