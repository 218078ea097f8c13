import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Budget, partsOf } from '../../../producer/budget/budget.ts'
import type { EventClass } from '../../../wire/types.ts'

const all: readonly EventClass[] = ['process', 'network', 'file', 'io']

/** One sample per second, in percent of a core; the reduced classes after each. */
const run = (shares: readonly number[], budget = new Budget(0.03, 256, all), fromMs = 0) => {
  const reduced: string[] = []
  const reasons: string[] = []
  for (const [i, share] of shares.entries()) {
    const decision = budget.sample(share / 100, fromMs + 1000 * (i + 1), 1000)
    if (decision !== undefined) reasons.push(decision.reason)
    reduced.push(budget.reduction.classes.join(' '))
  }
  return { reduced, reasons }
}

const repeat = (share: number, times: number): number[] => new Array(times).fill(share)

for (const { name, shares, expected } of [
  { name: 'within the budget nothing changes', shares: repeat(3, 5), expected: ['', '', '', '', ''] },
  { name: 'one second over the budget reduces nothing', shares: [9, 1, 9, 1], expected: ['', '', '', ''] },
  { name: 'two seconds over the budget reduce the least important class', shares: [4, 4], expected: ['', 'io'] },
  {
    name: 'while that is not enough, another class is reduced every two seconds, connections last, processes never',
    shares: repeat(4, 9),
    expected: [
      '',
      'io',
      'io',
      'io file',
      'io file',
      'io file network',
      'io file network',
      'io file network',
      'io file network'
    ]
  },
  {
    name: 'ten quiet seconds restore a class',
    shares: [4, 4, ...repeat(1, 10)],
    expected: ['', 'io', ...texts('io', 9), '']
  },
  {
    name: 'between 60% of the budget and the budget nothing changes',
    shares: [4, 4, ...repeat(2, 20)],
    expected: ['', ...texts('io', 21)]
  },
  {
    name: 'the quiet seconds must be consecutive',
    shares: [4, 4, ...repeat(1, 9), 2, ...repeat(1, 9)],
    expected: ['', ...texts('io', 20)]
  },
  {
    name: 'classes are restored in the reverse order, each after ten quiet seconds',
    shares: [4, 4, 4, 4, ...repeat(1, 20)],
    expected: ['', 'io', 'io', ...texts('io file', 10), ...texts('io', 10), '']
  }
]) {
  test(name, () => assert.deepEqual(run(shares).reduced, expected))
}

function texts(text: string, times: number): string[] {
  return new Array(times).fill(text)
}

test('classes that emit no call are skipped', () => {
  assert.deepEqual(run(repeat(4, 4), new Budget(0.03, 256, ['network', 'file'])).reduced, [
    '',
    'file',
    'file',
    'file network'
  ])
})

test('a class that is reduced again soon after it was restored waits twice as long, five minutes at most', () => {
  const budget = new Budget(0.03, 256, ['file'])
  const waits: number[] = []
  let nowMs = 0
  for (let round = 0; round < 8; round++) {
    for (; budget.reduction.classes.length === 0; nowMs += 1000) budget.sample(0.04, nowMs + 1000, 1000)
    let seconds = 0
    for (; budget.reduction.classes.length === 1; seconds++, nowMs += 1000) budget.sample(0.01, nowMs + 1000, 1000)
    waits.push(seconds)
  }
  assert.deepEqual(waits, [10, 20, 40, 80, 160, 300, 300, 300])
  // After two minutes within the budget it waits ten seconds again.
  nowMs += 120_000
  for (; budget.reduction.classes.length === 0; nowMs += 1000) budget.sample(0.04, nowMs + 1000, 1000)
  assert.equal(budget.sample(0.01, nowMs + 10_000, 10_000)?.reduction.classes.length, 0)
})

test('the bound of a process is halved first, and restored last', () => {
  const budget = new Budget(0.03, 1500, ['file'])
  const bounds = (shares: readonly number[], fromMs: number): [number, string][] =>
    shares.map((share, i) => {
      budget.sample(share / 100, fromMs + 1000 * (i + 1), 1000)
      return [budget.reduction.processEvents, budget.reduction.classes.join()]
    })
  assert.deepEqual(bounds(repeat(4, 10), 0), [
    ...[
      [1500, ''],
      [750, ''],
      [750, ''],
      [375, ''],
      [375, ''],
      [256, ''],
      [256, '']
    ],
    ...[
      [256, 'file'],
      [256, 'file'],
      [256, 'file']
    ]
  ])
  const restored = bounds(repeat(1, 40), 10_000)
  assert.deepEqual(
    [9, 19, 29, 39].map((i) => restored[i]),
    [
      [256, ''],
      [375, ''],
      [750, ''],
      [1500, '']
    ]
  )
})

test('without a configured bound the first one is 65,536 events per second, and 0 applies again in the end', () => {
  const budget = new Budget(0.03, 0, [])
  run([4, 4], budget)
  assert.equal(budget.reduction.processEvents, 65_536)
  run(repeat(1, 10), budget, 2000)
  assert.equal(budget.reduction.processEvents, 0)
})

test('a reason has the parts of the CPU use', () => {
  const budget = new Budget(0.03, 512, [])
  const parts = partsOf(0.03, 0.012)
  budget.sample(0.042, 1000, 1000, parts)
  const reason = 'the edge uses 4.2% of a core (process 3%, programs 1.2%), its budget is 3%'
  assert.equal(budget.sample(0.042, 2000, 1000, parts)?.reason, reason)
  assert.equal(partsOf(0.03, undefined), '')
})

test('a reason has the CPU use and the budget', () => {
  const { reasons } = run([4.2, 4.2, ...repeat(1, 10)])
  assert.deepEqual(reasons, [
    'the edge uses 4.2% of a core, its budget is 3%',
    'the edge uses 1% of a core, less than 1.8% for 10 s'
  ])
})

test('the budget is exhausted when it is exceeded with every class reduced', () => {
  const budget = new Budget(0.03, 256, ['io'])
  run(repeat(4, 3), budget)
  assert.equal(budget.isExhausted, false)
  run(repeat(4, 1), budget, 3000)
  assert.equal(budget.isExhausted, true)
  run([1], budget, 4000)
  assert.equal(budget.isExhausted, false)
})
