import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pathText } from '../../wire/path-text.ts'

const row = { path: '/a', path_to: null, path_given: null, path_deleted: false }

test('a path is marked when its file has no name, and has its second path or the name that was given', () => {
  assert.equal(pathText(row), '/a')
  assert.equal(pathText({ ...row, path: null }), null)
  assert.equal(pathText({ ...row, path_deleted: true }), '/a (deleted)')
  assert.equal(pathText({ ...row, path_to: '/b' }), '/a → /b')
  assert.equal(pathText({ ...row, path_given: 'link' }), '/a (as link)')
  assert.equal(
    pathText({ ...row, path_deleted: true, path_given: '/proc/self/fd/3' }),
    '/a (deleted) (as /proc/self/fd/3)'
  )
})
