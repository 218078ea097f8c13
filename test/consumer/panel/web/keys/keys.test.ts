import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { actionOf, actions, keyName } from '../../../../../consumer/panel/web/keys/keys.ts'

const press = (key: string, more = {}) => ({ key, ctrlKey: false, altKey: false, metaKey: false, ...more })

test('each key has one action', () => {
  assert.equal(new Set(actions.map(([, key]) => key)).size, actions.length)
  assert.equal(actionOf(press('l'), false), 'live')
  assert.equal(actionOf(press('é'), false), undefined)
})

test("the browser's shortcuts are not used", () => {
  for (const held of ['ctrlKey', 'altKey', 'metaKey'])
    assert.equal(actionOf(press('l', { [held]: true }), false), undefined)
})

test('in a field only Escape is an action', () => {
  assert.equal(actionOf(press('l'), true), undefined)
  assert.equal(actionOf(press('Escape'), true), 'leave')
})

test('keys have the labels of the keyboard', () => {
  assert.deepEqual(['ArrowLeft', 'Escape', '/'].map(keyName), ['←', 'Esc', '/'])
})

test('the documentation lists every key', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../../../docs/panel.md'), 'utf8')
  const documented = [...text.matchAll(/^\| `([^`]+)` +\| (.*?) +\|$/gm)].map(([, key, action]) => [key, action])
  const keys = actions.map(([, key, text]) => [keyName(key), text])
  for (const key of keys)
    assert.deepEqual(
      documented.filter(([name]) => name === key[0]),
      [key]
    )
})
