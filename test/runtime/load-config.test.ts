import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../runtime/load-config.ts'
import { configFile } from './support/config-file.ts'

test('flags override the environment, the environment the file, and the file the defaults', (t) => {
  const file = configFile(
    t,
    'brokers: [file:1]\nhost: from-file\ntopicPrefix: file.\nedge: {batchMs: 50, batchEvents: 7}\n'
  )
  const env = { RINGSIDE_HOST: 'from-env', RINGSIDE_TOPIC_PREFIX: 'env.' }
  const config = loadConfig({ topicPrefix: 'flag.', edge: { batchMs: 20, pids: undefined } }, file, env)
  assert.deepEqual(config.brokers, ['file:1'])
  assert.equal(config.host, 'from-env')
  assert.equal(config.topicPrefix, 'flag.')
  assert.equal(config.edge.batchMs, 20)
  assert.equal(config.edge.batchEvents, 7)
  assert.equal(config.edge.ringBytes, 64 << 20)
  assert.equal(config.edge.securityRingBytes, 16 << 20)
})

test('every problem is reported at once, with its setting', () => {
  const flags = { brokers: ['nonsense'], edge: { batchMs: 1, ringBytes: 5000 } }
  assert.throws(() => loadConfig(flags, undefined, {}), {
    code: 'CONFIG',
    message:
      /has 3 problem\(s\)(?=[\s\S]*brokers\.0: must be host:port)(?=[\s\S]*edge\.batchMs)(?=[\s\S]*edge\.ringBytes: must be a power of two)/
  })
})

test('an unknown setting is refused', (t) => {
  assert.throws(() => loadConfig({}, configFile(t, 'edge: {batchMS: 50}\n'), {}), {
    code: 'CONFIG',
    message: /batchMS/
  })
})

test('a setting with the name of a property of every object is refused by name, wherever it is', (t) => {
  for (const name of ['__proto__', 'constructor', 'prototype', 'toString']) {
    for (const [text, path] of [
      [`${name}: {listen: 1}`, name],
      [`edge: {${name}: {batchMs: 50}}`, name],
      [`edge: {spool: {${name}: true}}`, name]
    ]) {
      const file = configFile(t, `${text}\n`)
      assert.throws(() => loadConfig({}, file, {}), { code: 'CONFIG', message: new RegExp(`${path}`) }, text)
    }
  }
  const calls = configFile(t, 'edge: {calls: {__proto__: off}}\n')
  assert.throws(() => loadConfig({}, calls, {}), { code: 'CONFIG', message: /edge\.calls\.__proto__: is no setting/ })
})

test('a file that is missing, is not YAML, or is no mapping is refused', (t) => {
  assert.throws(() => loadConfig({}, '/nonexistent.yaml', {}), { code: 'NO_INPUT', message: /\/nonexistent\.yaml/ })
  assert.throws(() => loadConfig({}, configFile(t, 'a: [1'), {}), { code: 'CONFIG', message: /not valid YAML/ })
  assert.throws(() => loadConfig({}, configFile(t, '- a\n- b\n'), {}), { code: 'CONFIG', message: /is no mapping/ })
})

test('an empty file gives the defaults', (t) => {
  assert.equal(loadConfig({}, configFile(t, ''), {}).topicPrefix, 'ringside.')
})
