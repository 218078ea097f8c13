import assert from 'node:assert/strict'
import { test } from 'node:test'
import pino from 'pino'
import type { Reduction } from '../../../producer/budget/budget.ts'
import { BudgetKeeper } from '../../../producer/budget/budget-keeper.ts'

const keep = (budgetPercent: number | undefined, programTimeNs: () => number | undefined) => {
  const lines: string[] = []
  const log = pino({ base: null, timestamp: false }, { write: (line: string) => lines.push(JSON.parse(line).msg) })
  const stepped = Promise.withResolvers<{ reduction: Reduction; reason: string }>()
  const setReduction = (reduction: Reduction, reason: string): void => stepped.resolve({ reduction, reason })
  const keeper = new BudgetKeeper({
    ...{ budgetPercent, processEvents: 1000, classes: ['network', 'file'] },
    ...{ programTimeNs, setReduction, log }
  })
  return { keeper, lines, stepped: stepped.promise }
}

test('when the BPF programs exceed the budget, the bound of a process is halved, with a reason', {
  timeout: 30_000
}, async (t) => {
  // The programs use half a core.
  const { keeper, lines, stepped } = keep(40, () => performance.now() * 500_000)
  t.after(() => keeper.stop())
  const alive = setInterval(() => {}, 1000)
  const { reduction, reason } = await stepped
  clearInterval(alive)
  assert.deepEqual(reduction, { processEvents: 500, classes: [] })
  assert.match(reason, /^the edge uses \d+% of a core \(process .*%, programs \d+%\), its budget is 40%$/)
  assert.ok((keeper.use?.programs ?? 0) > 0.4)
  assert.deepEqual(lines, [])
})

test('without run times of BPF programs, one warning says that the budget covers the process alone', (t) => {
  const { keeper, lines } = keep(3, () => undefined)
  t.after(() => keeper.stop())
  assert.equal(lines.length, 1)
  assert.match(lines[0] ?? '', /the CPU budget covers the process alone/)
})

test('without a budget nothing is reduced or logged', (t) => {
  const { keeper, lines } = keep(undefined, () => undefined)
  t.after(() => keeper.stop())
  assert.equal(keeper.use, undefined)
  assert.deepEqual(lines, [])
})
