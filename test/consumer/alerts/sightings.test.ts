import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Sightings } from '../../../consumer/alerts/sightings.ts'

test('the threshold is reached by as many events as it counts within its window', () => {
  const sightings = new Sightings(3, 100)
  for (const timeUs of [0, 50, 100]) sightings.add(timeUs, 0, timeUs, undefined)
  assert.equal(sightings.isReached, false)
  sightings.add(149, 0, 149, undefined)
  assert.equal(sightings.isReached, true)
  assert.deepEqual(
    sightings.all().map(({ seq }) => seq),
    [50, 100, 149]
  )
})

test('no more are kept than are counted', () => {
  const sightings = new Sightings(3, 100)
  for (let seq = 0; seq < 1000; seq++) sightings.add(1, 0, seq, undefined)
  assert.deepEqual(
    sightings.all().map(({ seq }) => seq),
    [997, 998, 999]
  )
})

test('values are counted once each, with their events', () => {
  const sightings = new Sightings(2, 100)
  sightings.add(0, 0, 1, 'a')
  sightings.add(10, 0, 2, 'a')
  assert.equal(sightings.isReached, false)
  sightings.add(105, 0, 3, 'b')
  assert.equal(sightings.isReached, true)
  assert.deepEqual(
    sightings.all().map(({ seq, events }) => [seq, events]),
    [
      [1, 2],
      [3, 1]
    ]
  )
})

test('events out of order are kept by the latest time', () => {
  const sightings = new Sightings(2, 100)
  sightings.add(500, 0, 1, undefined)
  sightings.add(450, 0, 2, undefined)
  assert.equal(sightings.isReached, true)
  assert.deepEqual(
    sightings.all().map(({ seq }) => seq),
    [2, 1]
  )
  assert.equal(sightings.isEmptyAt(599), false)
  assert.equal(sightings.isEmptyAt(600), true)
})
