import assert from 'node:assert/strict'
import { constants } from 'node:os'
import { test } from 'node:test'
import { errnoName } from '../../wire/errno.ts'

test('errors that Node knows have the same name, or the synonym that strace prints', () => {
  const synonyms: Record<string, string> = { EWOULDBLOCK: 'EAGAIN', ENOTSUP: 'EOPNOTSUPP' }
  for (const [name, number] of Object.entries(constants.errno)) {
    assert.equal(errnoName(-number), synonyms[name] ?? name)
  }
})

test('errors that Node does not know have a name, or their number', () => {
  assert.deepEqual([-77, -123, -133].map(errnoName), ['EBADFD', 'ENOMEDIUM', 'EHWPOISON'])
  assert.deepEqual([-512, -516].map(errnoName), ['ERESTARTSYS', 'ERESTART_RESTARTBLOCK'])
  assert.deepEqual([-41, -134, -4095].map(errnoName), ['E41', 'E134', 'E4095'])
})

test('a result that is no error has no name', () => {
  assert.deepEqual([0, 5, -4096, -(2 ** 40)].map(errnoName), [null, null, null, null])
})
