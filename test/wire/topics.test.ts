import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../runtime/load-config.ts'
import { alertKey, rollupKey, topicName, topicSpecifications } from '../../wire/topics.ts'

const config = loadConfig({ topicPrefix: 'site-a.', kafka: { partitions: 5, replicas: 1 } }, undefined, {})

test('every topic has the configured prefix', () => {
  assert.deepEqual(
    topicSpecifications(config).map(({ name }) => name),
    ['site-a.events', 'site-a.rollups', 'site-a.hosts', 'site-a.alerts', 'site-a.audit', 'site-a.deadletter']
  )
  assert.equal(topicName({ topicPrefix: '' }, 'events'), 'events')
})

test('deadletter has one partition, all other topics the configured number', () => {
  const partitions = topicSpecifications(config).map((specification) => specification.partitions)
  assert.deepEqual(partitions, [5, 5, 5, 5, 5, 1])
})

test('with three replicas two must be in sync for an acknowledgement, with fewer one', () => {
  const settingOf = (replicas: number) =>
    topicSpecifications({ ...config, kafka: { ...config.kafka, replicas } }).map(
      ({ settings }) => settings['min.insync.replicas']
    )
  assert.deepEqual([...new Set([...settingOf(3), ...settingOf(5)])], ['2'])
  assert.deepEqual([...new Set([...settingOf(1), ...settingOf(2)])], ['1'])
})

test('every topic setting is text', () => {
  for (const { name, settings } of topicSpecifications(config)) {
    for (const value of Object.values(settings)) assert.equal(typeof value, 'string', name)
  }
})

test('rollups are keyed by host and workload, alerts by rule and entity', () => {
  assert.equal(rollupKey({ host: 'web-1', workload: 'nginx' }), 'web-1/nginx')
  assert.equal(
    alertKey({ rule: 'connect-burst', entity: 'nginx:/usr/sbin/nginx' }),
    'connect-burst/nginx:/usr/sbin/nginx'
  )
})
