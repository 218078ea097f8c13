import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Model } from '../../../../../consumer/panel/web/state/model.ts'
import { ranges } from '../../../../../consumer/panel/web/state/ranges.ts'
import { defaultView } from '../../../../../consumer/panel/web/state/view.ts'
import { samples } from '../../../../support/records.ts'
import { pointAt } from '../points.ts'

const nowMs = 1_769_860_800_500

/** One that is connected and has the last ten seconds, the newest of them open. */
const filled = (): Model => {
  const model = new Model(defaultView)
  model.receive({ type: 'hello', version: '1', windowsMs: [1000, 10_000], keptMs: [900_000, 7_200_000] }, nowMs)
  model.watch(nowMs)
  const points = Array.from({ length: 10 }, (_, i) => pointAt(nowMs - 500 - (9 - i) * 1000, { complete: i < 9 }))
  model.receive({ type: 'points', whole: true, points }, nowMs)
  return model
}

test('it asks for what is shown, in windows that fit', () => {
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

test('another watch begins with nothing, until its points are there', () => {
  const model = filled()
  model.watch(nowMs)
  assert.deepEqual([model.series.size, model.isFilled], [0, false])
  model.receive({ type: 'points', whole: true, points: [] }, nowMs)
  assert.equal(model.isFilled, true)
})

test('after a reconnect it asks from what may have changed, keeps what is older, and knows what it missed', () => {
  const model = filled()
  const backMs = nowMs + 7000
  const again = model.watchAgain(backMs, nowMs)
  const newestComplete = nowMs - 500 - 1000
  assert.equal(again.fromMs, newestComplete - 10_000)
  assert.equal(model.series.size, 10)
  assert.deepEqual(model.away, { fromMs: newestComplete + 1000, backMs })
})

test('a reconnect before anything was there asks for all', () => {
  const model = new Model(defaultView)
  assert.equal(model.watchAgain(nowMs, nowMs).fromMs, nowMs + 500 - 300_000)
  assert.equal(model.away, undefined)
})

test('paused, nothing after that moment is taken', () => {
  const model = filled()
  model.view = { ...defaultView, atMs: nowMs }
  model.receive({ type: 'points', whole: false, points: [pointAt(nowMs + 1500)] }, nowMs + 2000)
  assert.ok((model.series.newest?.timeMs ?? 0) <= nowMs)
  assert.equal(model.shown(nowMs + 60_000).toMs, nowMs + 500)
})

test('what has left the range is let go, however long nobody looks', () => {
  const model = filled()
  for (let second = 1; second <= 1000; second++) {
    const time = nowMs - 500 + second * 1000
    model.receive({ type: 'points', whole: false, points: [pointAt(time)] }, time)
  }
  assert.ok(model.series.size <= 301, String(model.series.size))
})

test('of an alert the newest revision is shown, the last seen first', () => {
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

test('no more alerts are held than a person scrolls through, the newest', () => {
  const model = filled()
  const alerts = Array.from({ length: 500 }, (_, index) => ({ ...samples.Alert, id: `${index}`, last_seen: index }))
  model.receive({ type: 'alerts', alerts }, nowMs)
  assert.equal(model.alerts.length, 200)
  assert.equal(model.alerts[0]?.id, '499')
})
