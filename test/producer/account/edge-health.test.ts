import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EdgeHealth } from '../../../producer/account/edge-health.ts'

const watch = (t: { after(end: () => void): void }) => {
  const figures = { batches: 0, backlogBytes: 0, spoolBytes: 0, pressure: 0 }
  let nowMs = 0
  const edge = {
    counters: () => ({ ...figures }),
    get pressure() {
      return figures.pressure
    }
  }
  const health = new EdgeHealth(edge, () => nowMs)
  t.after(() => health.stop())
  const after = (seconds: number, changes: Partial<typeof figures>): string[] => {
    nowMs += seconds * 1000
    Object.assign(figures, changes)
    return health.problems()
  }
  return after
}

test('an edge whose batches are acknowledged is ready, also an idle one', (t) => {
  const after = watch(t)
  assert.deepEqual(after(0, {}), [])
  assert.deepEqual(after(3600, {}), [])
  assert.deepEqual(after(1, { backlogBytes: 100 }), [])
  assert.deepEqual(after(59, {}), [])
  assert.deepEqual(after(30, { batches: 1 }), [])
})

test('an edge without an acknowledgement for a minute while batches wait is not ready', (t) => {
  const after = watch(t)
  assert.deepEqual(after(0, {}), [])
  assert.deepEqual(after(1, { spoolBytes: 5000 }), [])
  assert.match(after(90, {}).join(), /acknowledged no batch for 91 s while batches wait/)
  assert.deepEqual(after(1, { batches: 1 }), [])
})

test('an edge whose ring is nearly full of events that are not durable is not ready', (t) => {
  const after = watch(t)
  assert.deepEqual(after(0, { pressure: 0.5 }), [])
  assert.match(after(0, { pressure: 0.95 }).join(), /a ring is 95 % full/)
})
