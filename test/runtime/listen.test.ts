import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findListen, isLoopback, parseListen, withPortRaised } from '../../runtime/listen.ts'

test('a port alone is on loopback, and HOST may be an address, IPv6 in brackets', () => {
  assert.deepEqual(findListen('9464'), { host: '127.0.0.1', port: 9464 })
  assert.deepEqual(findListen('localhost:0'), { host: '127.0.0.1', port: 0 })
  assert.deepEqual(findListen('0.0.0.0:9464'), { host: '0.0.0.0', port: 9464 })
  assert.deepEqual(findListen('[::1]:9464'), { host: '::1', port: 9464 })
})

test('text that is neither PORT nor HOST:PORT is refused', () => {
  for (const text of ['', 'x', '70000', 'example.org:1', '1.2.3:4', '[::g]:1', '127.0.0.1:', ':1', '1:2:3']) {
    assert.equal(findListen(text), undefined, text)
  }
})

test('127.0.0.0/8 and ::1 are loopback', () => {
  for (const text of ['1', '127.9.9.9:1', '[::1]:1']) assert.equal(isLoopback(parseListen(text)), true, text)
  for (const text of ['0.0.0.0:1', '10.0.0.1:1', '[::]:1']) assert.equal(isLoopback(parseListen(text)), false, text)
})

test('a raised port differs for each service, and port 0 stays 0', () => {
  assert.equal(withPortRaised('9464', 2), '9466')
  assert.equal(withPortRaised('[::1]:9464', 1), '[::1]:9465')
  assert.equal(withPortRaised('127.0.0.1:0', 3), '127.0.0.1:0')
})
