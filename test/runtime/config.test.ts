import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../runtime/load-config.ts'
import { printableConfig } from '../../runtime/printable-config.ts'
import { configFile } from './support/config-file.ts'

test('a window that is no multiple of the shortest is refused, in any order', () => {
  const load = (windowsMs: number[]) => loadConfig({ rollups: { windowsMs } }, undefined, {}).rollups.windowsMs
  assert.deepEqual(load([5000, 1000]), [5000, 1000])
  assert.throws(() => load([2000, 5000]), {
    code: 'CONFIG',
    message: /rollups\.windowsMs: each length must be a multiple of the shortest/
  })
})

test('a CPU budget is a percentage, with or without its sign', (t) => {
  assert.equal(loadConfig({ edge: { cpuBudget: '3%' } }, undefined, {}).edge.cpuBudget, 3)
  assert.equal(loadConfig({}, configFile(t, 'edge: {cpuBudget: 2.5}\n'), {}).edge.cpuBudget, 2.5)
  assert.equal(loadConfig({}, undefined, {}).edge.cpuBudget, undefined)
  for (const cpuBudget of ['much', '-3%', 0]) {
    assert.throws(() => loadConfig({ edge: { cpuBudget } }, undefined, {}), {
      code: 'CONFIG',
      message: /edge\.cpuBudget/
    })
  }
})

test('metrics beyond loopback need a token', () => {
  const listen = '0.0.0.0:9464'
  assert.throws(() => loadConfig({ metrics: { listen } }, undefined, {}), {
    code: 'CONFIG',
    message: /metrics\.token: must be set, as other machines can connect to 0\.0\.0\.0:9464/
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
