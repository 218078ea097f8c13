import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Progress } from '../../../cli/terminal/progress.ts'

test('a terminal refreshes the status in place, below the lines that stay', () => {
  let text = ''
  const progress = new Progress({ isTTY: true, columns: 20, write: (piece) => (text += piece) })
  progress.status('one')
  progress.line('kept')
  progress.status('a status that is longer than the terminal')
  progress.clear()
  const erase = '\r\u001b[2K'
  assert.equal(text, `one${erase}kept\none${erase}a status that is l…${erase}`)
})

test('without a terminal a status is a line, every ten seconds at most', () => {
  let text = ''
  let nowMs = 0
  const progress = new Progress({ write: (piece) => (text += piece) }, () => nowMs)
  progress.status('first')
  nowMs = 9_999
  progress.status('too soon')
  nowMs = 10_000
  progress.status('second')
  assert.equal(text, 'first\nsecond\n')
})
