import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../../runtime/load-config.ts'
import { printableConfig } from '../../runtime/printable-config.ts'
import { configFile } from './support/config-file.ts'

test('the printed configuration can be loaded again, and has no secrets', (t) => {
  const config = loadConfig({ host: 'a' }, undefined, {})
  assert.deepEqual(loadConfig({}, configFile(t, printableConfig(config)), {}), config)
  const secret = { ...config, sasl: { username: 'u', password: 'hunter2' } }
  assert.doesNotMatch(printableConfig(secret), /hunter2/)
  assert.match(printableConfig(secret), /password: <redacted>/)
})
