import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ranges } from '../../../../../consumer/panel/web/state/ranges.ts'
import {
  defaultView,
  emptyForm,
  readView,
  type View,
  withName,
  writeView
} from '../../../../../consumer/panel/web/state/view.ts'

test('the default view has an empty query', () => {
  assert.equal(writeView(defaultView), '')
  assert.deepEqual(readView(''), defaultView)
})

test('a view survives the round trip through the address', () => {
  const view: View = {
    filter: { host: 'web-1', workload: '/usr/bin/a b&c=d', call: 'connect' },
    range: ranges[2],
    atMs: 1_769_860_800_123,
    by: 'go_function',
    sort: 'p99',
    audit: { ...emptyForm, from: '2026-01-31T12:00:00.000Z', program: 'c%url', failed: true }
  }
  assert.deepEqual(readView(writeView(view)), view)
})

test('invalid values in an address are ignored', () => {
  const view = readView('?range=3y&at=yesterday&by=moon&sort=colour&host=&else=1')
  assert.deepEqual(view, defaultView)
})

test('an empty name removes the filter', () => {
  assert.deepEqual(withName({ host: 'web-1', call: 'read' }, 'host', ''), { call: 'read' })
  assert.deepEqual(withName({ call: 'read' }, 'host', 'web-2'), { call: 'read', host: 'web-2' })
})
