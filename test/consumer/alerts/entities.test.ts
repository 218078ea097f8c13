import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Burst } from '../../../consumer/alerts/burst.ts'
import { Entities } from '../../../consumer/alerts/entities.ts'
import { ruleOf } from '../support/rule-files.ts'

const windowUs = 60_000_000

/** Two entities at most; a match of each at `timeUs`. */
const setUp = (timeUs: number) => {
  const entities = new Entities(ruleOf({ threshold: { count: 3, windowSeconds: 60 } }), 2)
  const [a, b] = ['a', 'b'].map((name, seq) => {
    const entity = entities.of(name, timeUs)
    entity.matches.add(timeUs, 0, seq, undefined)
    return entity
  })
  return { entities, a: a ?? assert.fail(), b: b ?? assert.fail() }
}

test('beyond the bound the entity that was quiet for longest is evicted', () => {
  const { entities, a, b } = setUp(0)
  assert.equal(entities.of('a', 1), a)
  entities.of('c', 2).matches.add(2, 0, 2, undefined)
  assert.equal(entities.of('a', 3), a)
  assert.notEqual(entities.of('b', 4), b)
  assert.equal(entities.takeEvicted(), 2)
  assert.equal(entities.takeEvicted(), 0)
})

test('an entity with an active alert is never evicted', () => {
  const { entities, a } = setUp(0)
  a.burst = {} as Burst
  entities.of('c', 1)
  assert.equal(entities.of('a', 2), a)
})

test('entities without a match in the window expire, and are not counted as evicted', () => {
  const { entities } = setUp(0)
  entities.of('c', windowUs)
  assert.equal(entities.takeEvicted(), 0)
})
