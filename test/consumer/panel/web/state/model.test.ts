import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Model } from '../../../../../consumer/panel/web/state/model.ts'
import { ranges } from '../../../../../consumer/panel/web/state/ranges.ts'
import { defaultView } from '../../../../../consumer/panel/web/state/view.ts'
import { samples } from '../../../../support/records.ts'
import { pointAt } from '../points.ts'

const nowMs = 1_769_860_800_500

/** A connected model with points of the last ten seconds, the newest of them open. */
const filled = (): Model => {
  const model = new Model(defaultView)
  model.receive({ type: 'hello', version: '1', windowsMs: [1000, 10_000], keptMs: [900_000, 7_200_000] }, nowMs)
  model.watch(nowMs)
  const points = Array.from({ length: 10 }, (_, i) => pointAt(nowMs - 500 - (9 - i) * 1000, { complete: i < 9 }))
  model.receive({ type: 'points', whole: true, points }, nowMs)
  return model
}

test('the watch is for the time range shown, in fitting windows', () => {
  const model = filled()
  assert.deepEqual(model.watch(nowMs), {
    type: 'watch',
    filter: {},
    windowMs: 1000,
    fromMs: nowMs + 500 - 300_000,
    top: 'workload'
  })
  model.view = { ...defaultView, range: ranges[2], filter: { call: 'read' }, by: 'call' }
  assert.deepEqual(
    { ...model.watch(nowMs), fromMs: 0 },
    {
      type: 'watch',
      filter: { call: 'read' },
      windowMs: 10_000,
      fromMs: 0,
      top: 'call'
    }
  )
})

test('a new watch has no points until they arrive', () => {
  const model = filled()
  model.watch(nowMs)
  assert.deepEqual([model.series.size, model.isFilled], [0, false])
  model.receive({ type: 'points', whole: true, points: [] }, nowMs)
  assert.equal(model.isFilled, true)
})

test('after a reconnect the watch starts at points that may have changed, older ones are kept, and the outage is known', () => {
  const model = filled()
  const toMs = nowMs + 7000
  const watch = model.watchAfterReconnect(toMs, nowMs)
  const newestComplete = nowMs - 500 - 1000
  assert.equal(watch.fromMs, newestComplete - 10_000)
  assert.equal(model.series.size, 10)
  assert.deepEqual(model.outage, { fromMs: newestComplete + 1000, toMs })
})

test('a reconnect before the first points requests all of them', () => {
  const model = new Model(defaultView)
  assert.equal(model.watchAfterReconnect(nowMs, nowMs).fromMs, nowMs + 500 - 300_000)
  assert.equal(model.outage, undefined)
})

test('while paused, later points are ignored', () => {
  const model = filled()
  model.view = { ...defaultView, atMs: nowMs }
  model.receive({ type: 'points', whole: false, points: [pointAt(nowMs + 1500)] }, nowMs + 2000)
  assert.ok((model.series.newest?.timeMs ?? 0) <= nowMs)
  assert.equal(model.shown(nowMs + 60_000).toMs, nowMs + 500)
})

test('points outside of the time range are removed, also in a hidden tab', () => {
  const model = filled()
  for (let second = 1; second <= 1000; second++) {
    const time = nowMs - 500 + second * 1000
    model.receive({ type: 'points', whole: false, points: [pointAt(time)] }, time)
  }
  assert.ok(model.series.size <= 301, String(model.series.size))
})

test('alerts have their newest revision, the last seen first', () => {
  const model = filled()
  const alert = (id: string, revision: number, last_seen: number) => ({ ...samples.Alert, id, revision, last_seen })
  model.receive({ type: 'alerts', alerts: [alert('a', 2, 20), alert('b', 1, 30)] }, nowMs)
  model.receive({ type: 'alerts', alerts: [alert('a', 1, 99), alert('b', 2, 40)] }, nowMs)
  assert.deepEqual(
    model.alerts.map(({ id, revision }) => [id, revision]),
    [
      ['b', 2],
      ['a', 2]
    ]
  )
})

test('only the newest 200 alerts are kept', () => {
  const model = filled()
  const alerts = Array.from({ length: 500 }, (_, index) => ({ ...samples.Alert, id: `${index}`, last_seen: index }))
  model.receive({ type: 'alerts', alerts }, nowMs)
  assert.equal(model.alerts.length, 200)
  assert.equal(model.alerts[0]?.id, '499')
})
