import assert from 'node:assert/strict'
import { test } from 'node:test'
import { healthAnswer } from '../../runtime/health.ts'

test('/healthz does not ask the service, /readyz does, and other paths are no probes', () => {
  const broken = (): never => {
    throw new Error('asked')
  }
  assert.deepEqual(healthAnswer('/healthz', broken, false), { status: 200, text: 'ok\n' })
  assert.throws(() => healthAnswer('/readyz', broken, true), /asked/)
  assert.equal(healthAnswer('/metrics', broken, true), undefined)
  assert.equal(healthAnswer(undefined, broken, true), undefined)
})

test('the reasons are for clients that may see them', () => {
  assert.deepEqual(
    healthAnswer('/readyz?x', () => ['lag'], true),
    { status: 503, text: 'not ready\nlag\n' }
  )
  const { status, text } = healthAnswer('/readyz', () => ['lag'], false) ?? {}
  assert.equal(status, 503)
  assert.doesNotMatch(text ?? '', /lag/)
})
