import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Progress, readProgress } from '../../../cli/terminal/progress.ts'

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

test('a long read says how far it is, a short one nothing', () => {
  let text = ''
  let nowMs = 0
  const now = () => nowMs
  const progress = new Progress({ isTTY: true, columns: 80, write: (piece) => (text += piece) }, now)
  const onProgress = readProgress(progress, 'of events read', now)
  onProgress(1, 52_000_000)
  assert.equal(text, '')
  nowMs = 600
  onProgress(6_500_000, 52_000_000)
  assert.equal(text, '12% (6,500,000 of 52,000,000 messages) of events read')
  nowMs = 700
  onProgress(7_000_000, 52_000_000)
  assert.doesNotMatch(text, /7,000,000/)
})
