import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { loadConfig, printableConfig } from '../../runtime/config.ts'
import { temporaryDirectory } from '../support/ringside.ts'

const fileWith = (t: TestContext, text: string): string => {
  const path = join(temporaryDirectory(t, 'config'), 'ringside.yaml')
  writeFileSync(path, text)
  return path
}

test('flags win over the environment, the environment over the file, the file over the defaults', (t) => {
  const file = fileWith(
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

test('every problem is reported at once, by its name', () => {
  const flags = { brokers: ['nonsense'], edge: { batchMs: 1, ringBytes: 5000 } }
  assert.throws(() => loadConfig(flags, undefined, {}), {
    code: 'CONFIG',
    message:
      /has 3 problem\(s\)(?=[\s\S]*brokers\.0: must be host:port)(?=[\s\S]*edge\.batchMs)(?=[\s\S]*edge\.ringBytes: must be a power of two)/
  })
})

test('windows are refused that the shortest does not divide, in any order', () => {
  const load = (windowsMs: number[]) => loadConfig({ rollups: { windowsMs } }, undefined, {}).rollups.windowsMs
  assert.deepEqual(load([5000, 1000]), [5000, 1000])
  assert.throws(() => load([2000, 5000]), {
    code: 'CONFIG',
    message: /rollups\.windowsMs: each length must be a multiple of the shortest/
  })
})

test('a setting that does not exist is a problem, not ignored', (t) => {
  assert.throws(() => loadConfig({}, fileWith(t, 'edge: {batchMS: 50}\n'), {}), { code: 'CONFIG', message: /batchMS/ })
})

test('a file that is missing, is not YAML, or holds no mapping is refused', (t) => {
  assert.throws(() => loadConfig({}, '/nonexistent.yaml', {}), { code: 'NO_INPUT', message: /\/nonexistent\.yaml/ })
  assert.throws(() => loadConfig({}, fileWith(t, 'a: [1'), {}), { code: 'CONFIG', message: /not valid YAML/ })
  assert.throws(() => loadConfig({}, fileWith(t, '- a\n- b\n'), {}), { code: 'CONFIG', message: /no mapping/ })
})

test('an empty file is the defaults', (t) => {
  assert.equal(loadConfig({}, fileWith(t, ''), {}).topicPrefix, 'ringside.')
})

test('what is printed can be read back, with secrets left out', (t) => {
  const config = loadConfig({ host: 'a' }, undefined, {})
  assert.deepEqual(loadConfig({}, fileWith(t, printableConfig(config)), {}), config)
  const secret = { ...config, sasl: { username: 'u', password: 'hunter2' } }
  assert.doesNotMatch(printableConfig(secret), /hunter2/)
  assert.match(printableConfig(secret), /password: <redacted>/)
})

test('a budget is a percentage, written with its sign or without', (t) => {
  assert.equal(loadConfig({ edge: { cpuBudget: '3%' } }, undefined, {}).edge.cpuBudget, 3)
  assert.equal(loadConfig({}, fileWith(t, 'edge: {cpuBudget: 2.5}\n'), {}).edge.cpuBudget, 2.5)
  assert.equal(loadConfig({}, undefined, {}).edge.cpuBudget, undefined)
  for (const cpuBudget of ['much', '-3%', 0]) {
    assert.throws(() => loadConfig({ edge: { cpuBudget } }, undefined, {}), {
      code: 'CONFIG',
      message: /edge\.cpuBudget/
    })
  }
})

test('metrics that others may ask for need a token', () => {
  const listen = '0.0.0.0:9464'
  assert.throws(() => loadConfig({ metrics: { listen } }, undefined, {}), {
    code: 'CONFIG',
    message: /metrics\.token: must be set where others than this machine may ask: listen is 0\.0\.0\.0:9464/
  })
  const env = { RINGSIDE_METRICS_TOKEN: 'a-token-of-some-length' }
  const { metrics } = loadConfig({ metrics: { listen } }, undefined, env)
  assert.deepEqual(metrics, { listen, series: 200, token: 'a-token-of-some-length' })
  assert.doesNotMatch(printableConfig(loadConfig({}, undefined, env)), /a-token-of/)
  assert.equal(loadConfig({ metrics: { listen: 9464 } }, undefined, {}).metrics.listen, '9464')
  assert.throws(() => loadConfig({ metrics: { listen: 'x:y' } }, undefined, {}), {
    message: /metrics\.listen: must be PORT/
  })
})
