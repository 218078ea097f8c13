import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Losses } from '../../../consumer/alerts/losses.ts'

const network = new Set(['network'])

test('losses are summed by class and time', () => {
  const losses = new Losses(100)
  losses.add([{ class: 'network', reason: 'ring_full', count: 1 }], 10)
  losses.add(
    [
      { class: 'network', reason: 'spool_full', count: 2 },
      { class: 'io', reason: 'ring_full', count: 4 }
    ],
    20
  )
  assert.deepEqual([losses.since(10, network), losses.since(11, network)], [3, 2])
  assert.equal(losses.since(10, new Set(['network', 'io'])), 7)
})

test('losses expire with the longest window', () => {
  const losses = new Losses(100)
  losses.add([{ class: 'network', reason: 'ring_full', count: 1 }], 10)
  losses.add([], 110)
  assert.equal(losses.since(0, network), 1)
  losses.add([], 111)
  assert.equal(losses.since(0, network), 0)
})
