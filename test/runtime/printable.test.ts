import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cutText, printable, printableJson, printableLines, printableValues } from '../../runtime/printable.ts'

test('what moves the cursor, reorders or hides text becomes a visible escape', () => {
  assert.equal(printable('a\u001b[2Jb\nc\u009b\0'), 'a\\x1b[2Jb\\x0ac\\x9b\\x00')
  assert.equal(printable('invoice\u202efdp.sh'), 'invoice\\u{202e}fdp.sh')
  assert.equal(printable('\u2066\u2069\u200f\u061c'), '\\u{2066}\\u{2069}\\u{200f}\\u{61c}')
  assert.equal(printable('a\u2028b\u2029c'), 'a\\u{2028}b\\u{2029}c')
  assert.equal(printable('pass\u200bwd\u00ad\ufeff\u3164\u{e0061}'), 'pass\\u{200b}wd\\xad\\u{feff}\\u{3164}\\u{e0061}')
  assert.equal(printable('\ud800x'), '\\u{d800}x')
})

test('text without such characters is unchanged, and a second time changes nothing', () => {
  const text = 'C:\\x1b /usr/bin/größe 猫 🐈 \ufffd "quoted"'
  assert.equal(printable(text), text)
  assert.equal(printable(printable('\u001b\u202e')), printable('\u001b\u202e'))
})

test('text is bounded, also when escapes make it longer', () => {
  assert.equal(printable('x'.repeat(11_000)).length, 1000)
  assert.equal(printable('\u202e'.repeat(1000)).length, 1000)
  assert.equal(printable('abcdef', 4), 'abc…')
  assert.equal(cutText('ab🐈cd', 4), 'ab…')
  assert.equal(cutText('abc', 0), '')
})

test('line breaks of Ringside stay, each line is printable', () => {
  assert.equal(printableLines('2 problems:\n  a\u001b\n  b\r'), '2 problems:\n  a\\x1b\n  b\\x0d')
})

test('JSON keeps its value, and has no character that a terminal interprets', () => {
  const value = { name: 'a\u001b\u009b\u202e\u{e0061}\ud800\n"\\', list: ['\u2028'] }
  const json = printableJson(value)
  assert.equal(printable(json, Number.POSITIVE_INFINITY), json)
  assert.deepEqual(JSON.parse(json), value)
})

test('values are made printable at any depth, names of fields too; a stack keeps its lines', () => {
  const value = { 'a\n': ['\u001b', { b: '\r' }], n: 1, none: null, err: { stack: 'Error: \u001b\n  at x' } }
  assert.deepEqual(printableValues(value), {
    'a\\x0a': ['\\x1b', { b: '\\x0d' }],
    n: 1,
    none: null,
    err: { stack: 'Error: \\x1b\n  at x' }
  })
})
