import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressText } from '../../wire/address.ts'

const ipv6 = (hex: string): string | null => addressText(Buffer.from(hex, 'hex'))

test('an IPv4 address is four decimal numbers', () => {
  assert.equal(addressText(Buffer.from([203, 0, 113, 255])), '203.0.113.255')
})

test('an IPv6 address has the form of RFC 5952', () => {
  assert.equal(ipv6('20010db8000000000000000000000001'), '2001:db8::1')
  assert.equal(ipv6('20010db8000000010001000100010001'), '2001:db8:0:1:1:1:1:1')
  assert.equal(ipv6('20010000000000010000000000000001'), '2001:0:0:1::1')
  assert.equal(ipv6('20010db8000000000001000000000001'), '2001:db8::1:0:0:1')
  assert.equal(ipv6('00000000000000000000000000000000'), '::')
  assert.equal(ipv6('00000000000000000000000000000001'), '::1')
  assert.equal(ipv6('fe800000000000000000000000000000'), 'fe80::')
  assert.equal(ipv6('00000000000000000000ffffcb007107'), '::ffff:203.0.113.7')
})

test('bytes of another length are no address', () => {
  assert.equal(addressText(Buffer.alloc(0)), null)
  assert.equal(addressText(Buffer.alloc(5)), null)
})
