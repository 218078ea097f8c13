import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serverProperties } from '../../../deploy/kafka/server-properties.ts'

test('every listener is on loopback, and no topic needs a second replica', () => {
  const text = serverProperties({ port: 9092, controllerPort: 9093, dataDir: '/state/kafka/data' })
  const properties = new Map(
    text
      .trim()
      .split('\n')
      .map((line): [string, string] => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])
  )
  assert.equal(properties.get('listeners'), 'PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093')
  assert.equal(properties.get('advertised.listeners'), 'PLAINTEXT://127.0.0.1:9092')
  assert.equal(properties.get('controller.quorum.bootstrap.servers'), '127.0.0.1:9093')
  assert.equal(properties.get('log.dirs'), '/state/kafka/data')
  for (const [name, value] of properties) if (/replication\.factor|min\.isr/.test(name)) assert.equal(value, '1', name)
})
