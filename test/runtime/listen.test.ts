import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findListen, isLoopback, parseListen, withPortRaised } from '../../runtime/listen.ts'

test('a port alone is one of loopback; an address may be named, IPv6 in brackets', () => {
  assert.deepEqual(findListen('9464'), { host: '127.0.0.1', port: 9464 })
  assert.deepEqual(findListen('localhost:0'), { host: '127.0.0.1', port: 0 })
  assert.deepEqual(findListen('0.0.0.0:9464'), { host: '0.0.0.0', port: 9464 })
  assert.deepEqual(findListen('[::1]:9464'), { host: '::1', port: 9464 })
})

test('what is no address and port is found out', () => {
  for (const text of ['', 'x', '70000', 'example.org:1', '1.2.3:4', '[::g]:1', '127.0.0.1:', ':1', '1:2:3']) {
    assert.equal(findListen(text), undefined, text)
  }
})

test('loopback is what only this machine reaches', () => {
  for (const text of ['1', '127.9.9.9:1', '[::1]:1']) assert.equal(isLoopback(parseListen(text)), true, text)
  for (const text of ['0.0.0.0:1', '10.0.0.1:1', '[::]:1']) assert.equal(isLoopback(parseListen(text)), false, text)
})

test('each service of several has a port of its own; any that is free stays any', () => {
  assert.equal(withPortRaised('9464', 2), '9466')
  assert.equal(withPortRaised('[::1]:9464', 1), '[::1]:9465')
  assert.equal(withPortRaised('127.0.0.1:0', 3), '127.0.0.1:0')
})
