import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MatchWindow } from '../../../consumer/alerts/match-window.ts'

test('enough events within the window reach the threshold', () => {
  const matches = new MatchWindow(3, 100)
  for (const timeUs of [0, 50, 100]) matches.add(timeUs, 0, timeUs, undefined)
  assert.equal(matches.hasReachedThreshold, false)
  matches.add(149, 0, 149, undefined)
  assert.equal(matches.hasReachedThreshold, true)
  assert.deepEqual(
    matches.all().map(({ seq }) => seq),
    [50, 100, 149]
  )
})

test('the window keeps as many matches as the threshold counts, the latest ones', () => {
  const matches = new MatchWindow(3, 100)
  for (let seq = 0; seq < 1000; seq++) matches.add(1, 0, seq, undefined)
  assert.deepEqual(
    matches.all().map(({ seq }) => seq),
    [997, 998, 999]
  )
})

test('distinct values count once each, with the number of their events', () => {
  const matches = new MatchWindow(2, 100)
  matches.add(0, 0, 1, 'a')
  matches.add(10, 0, 2, 'a')
  assert.equal(matches.hasReachedThreshold, false)
  matches.add(105, 0, 3, 'b')
  assert.equal(matches.hasReachedThreshold, true)
  assert.deepEqual(
    matches.all().map(({ seq, amount }) => [seq, amount]),
    [
      [1, 2],
      [3, 1]
    ]
  )
})

test('events out of order expire by the latest time', () => {
  const matches = new MatchWindow(2, 100)
  matches.add(500, 0, 1, undefined)
  matches.add(450, 0, 2, undefined)
  assert.equal(matches.hasReachedThreshold, true)
  assert.deepEqual(
    matches.all().map(({ seq }) => seq),
    [2, 1]
  )
  assert.equal(matches.isEmptyAt(599), false)
  assert.equal(matches.isEmptyAt(600), true)
})

test('amounts of events add up to the threshold, and no more matches are kept than reach it', () => {
  const matches = new MatchWindow(100, 100)
  matches.add(0, 0, 1, undefined, 60)
  assert.equal(matches.hasReachedThreshold, false)
  matches.add(50, 0, 2, undefined, 40)
  assert.equal(matches.hasReachedThreshold, true)
  matches.add(60, 0, 3, undefined, 60)
  assert.deepEqual(
    matches.all().map(({ seq, amount }) => [seq, amount]),
    [
      [2, 40],
      [3, 60]
    ]
  )
  matches.add(155, 0, 4, undefined, 1)
  assert.deepEqual([matches.all().length, matches.hasReachedThreshold], [2, false])
})
