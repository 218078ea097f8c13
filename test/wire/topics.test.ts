import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../runtime/config.ts'
import { alertKey, rollupKey, topicName, topicSpecifications } from '../../wire/topics.ts'

const config = loadConfig({ topicPrefix: 'site-a.', kafka: { partitions: 5, replicas: 1 } }, undefined, {})

test('every topic carries the configured prefix', () => {
  assert.deepEqual(
    topicSpecifications(config).map(({ name }) => name),
    ['site-a.events', 'site-a.rollups', 'site-a.hosts', 'site-a.alerts', 'site-a.audit', 'site-a.deadletter']
  )
  assert.equal(topicName({ topicPrefix: '' }, 'events'), 'events')
})

test('streams have the configured partitions, dead letters one', () => {
  const partitions = topicSpecifications(config).map((specification) => specification.partitions)
  assert.deepEqual(partitions, [5, 5, 5, 5, 5, 1])
})

test('every setting is text that a broker takes', () => {
  for (const { name, settings } of topicSpecifications(config)) {
    for (const value of Object.values(settings)) assert.equal(typeof value, 'string', name)
  }
})

test('keys hold what must stay in order together', () => {
  assert.equal(rollupKey({ host: 'web-1', workload: 'nginx' }), 'web-1/nginx')
  assert.equal(
    alertKey({ rule: 'connect-burst', entity: 'nginx:/usr/sbin/nginx' }),
    'connect-burst/nginx:/usr/sbin/nginx'
  )
})
