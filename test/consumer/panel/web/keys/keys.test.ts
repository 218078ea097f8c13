import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { actionOf, actions, keyName } from '../../../../../consumer/panel/web/keys/keys.ts'

const press = (key: string, more = {}) => ({ key, ctrlKey: false, altKey: false, metaKey: false, ...more })

test('each key does one thing', () => {
  assert.equal(new Set(actions.map(([, key]) => key)).size, actions.length)
  assert.equal(actionOf(press('l'), false), 'live')
  assert.equal(actionOf(press('é'), false), undefined)
})

test("the browser's own shortcuts are left alone", () => {
  for (const held of ['ctrlKey', 'altKey', 'metaKey'])
    assert.equal(actionOf(press('l', { [held]: true }), false), undefined)
})

test('in a field keys are text, but for the one that leaves it', () => {
  assert.equal(actionOf(press('l'), true), undefined)
  assert.equal(actionOf(press('Escape'), true), 'leave')
})

test('keys are called as on the keyboard', () => {
  assert.deepEqual(['ArrowLeft', 'Escape', '/'].map(keyName), ['←', 'Esc', '/'])
})

test('the documentation names every key', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../../../docs/panel.md'), 'utf8')
  const told = [...text.matchAll(/^\| `([^`]+)` +\| (.*?) +\|$/gm)].map(([, key, what]) => [key, what])
  const keys = actions.map(([, key, what]) => [keyName(key), what])
  for (const key of keys)
    assert.deepEqual(
      told.filter(([name]) => name === key[0]),
      [key]
    )
})
