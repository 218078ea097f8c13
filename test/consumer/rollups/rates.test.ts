import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Key } from '../../../consumer/rollups/key.ts'
import { Rates } from '../../../consumer/rollups/rates.ts'

const secondUs = 1e6
const keyOf = (pid: number): Key => ({ workload: '/bin/a', pid, startUs: 1, goFunction: null, code: 0 })
const isClose = (found: number, expected: number): void =>
  assert.ok(Math.abs(found - expected) <= 1e-9 * expected, `${found} instead of ${expected}`)

test('a rate approaches a steady one with the time constant, whatever the length of the windows', () => {
  for (const windowUs of [secondUs / 10, secondUs, 2 * secondUs]) {
    const rates = new Rates(windowUs, 10)
    for (let endUs = windowUs; endUs <= 10 * secondUs; endUs += windowUs)
      rates.add(keyOf(1), 40 * (windowUs / secondUs), endUs)
    isClose(rates.at(keyOf(1), 10 * secondUs), 40 * (1 - Math.exp(-1)))
    isClose(rates.at(keyOf(1), 20 * secondUs), 40 * (1 - Math.exp(-1)) * Math.exp(-1))
  }
})

test('late calls count as if they had arrived in time', () => {
  const [inTime, late] = [new Rates(secondUs, 10), new Rates(secondUs, 10)]
  for (const [calls, endUs] of [
    [5, 1],
    [7, 3]
  ] as const)
    inTime.add(keyOf(1), calls, endUs * secondUs)
  for (const [calls, endUs] of [
    [7, 3],
    [5, 1]
  ] as const)
    late.add(keyOf(1), calls, endUs * secondUs)
  isClose(late.at(keyOf(1), 4 * secondUs), inTime.at(keyOf(1), 4 * secondUs))
})

test('keys are bounded, and an idle key expires', () => {
  const rates = new Rates(secondUs, 2)
  for (const pid of [1, 2, 3]) rates.add(keyOf(pid), 10, secondUs)
  assert.deepEqual(
    [1, 2, 3].map((pid) => rates.at(keyOf(pid), secondUs) > 0),
    [true, true, false]
  )
  rates.add(keyOf(2), 10, 60 * secondUs)
  rates.expire(75 * secondUs)
  rates.add(keyOf(3), 10, 75 * secondUs)
  assert.deepEqual(
    [1, 2, 3].map((pid) => rates.at(keyOf(pid), 75 * secondUs) > 0),
    [false, true, true]
  )
})
