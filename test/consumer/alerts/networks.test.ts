import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isExternal, isNetwork, networksOf } from '../../../consumer/alerts/networks.ts'

test('public addresses are external, those for documentation included', () => {
  const addresses = [
    '8.8.8.8',
    '203.0.113.1',
    '198.51.100.1',
    '192.0.2.1',
    '172.32.0.1',
    '2606:4700::1111',
    '2001:db8::1'
  ]
  for (const address of addresses) assert.ok(isExternal(address), address)
})

test('private, loopback, link-local, multicast and reserved addresses are not external', () => {
  const addresses = [
    ...['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', '127.0.0.53', '169.254.169.254'],
    ...['0.0.0.0', '224.0.0.251', '239.255.255.250', '255.255.255.255', '198.18.0.1'],
    ...['::', '::1', 'fe80::1', 'fd00:ec2::254', 'ff02::fb'],
    ...['::ffff:10.0.0.1', '::ffff:127.0.0.1']
  ]
  for (const address of addresses) assert.ok(!isExternal(address), address)
})

test('an IPv4 address in IPv6 form is as external as itself', () => {
  assert.ok(isExternal('::ffff:203.0.113.1'))
})

test('text that is no address is not external', () => {
  for (const text of ['', '/run/socket', 'example.org']) assert.ok(!isExternal(text), text)
})

test('a network is an address with or without a prefix that fits it', () => {
  for (const text of ['10.0.0.0/8', '10.1.2.3', 'fd00::/8', '::1']) assert.ok(isNetwork(text), text)
  for (const text of ['10.0.0.0/33', 'fd00::/129', '10.0.0/8', 'localhost', '10.0.0.0/8/8', '10.0.0.0/']) {
    assert.ok(!isNetwork(text), text)
  }
})

test('a set of networks has the addresses in them', () => {
  const networks = networksOf(['203.0.113.0/24', '2001:db8::/32', '192.0.2.7'])
  for (const address of ['203.0.113.9', '2001:db8::9', '192.0.2.7', '::ffff:203.0.113.9']) {
    assert.ok(networks.has(address), address)
  }
  for (const address of ['203.0.114.9', '192.0.2.8', '2001:db9::', '']) assert.ok(!networks.has(address), address)
})
