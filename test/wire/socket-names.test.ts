import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  families,
  familyName,
  ipProtocols,
  isInet,
  netlinkProtocols,
  protocolName,
  socketTypeName,
  socketTypes
} from '../../wire/socket-names.ts'
import { headerValues } from '../support/header-values.ts'
import { commandsMissing } from '../support/programs.ts'

const skip = commandsMissing('gcc')
/** Macros of the names that are ours, or that the macro spells with other words. */
const macros: Readonly<Record<string, string>> = { ipv4: 'AF_INET', ipv6: 'AF_INET6' }

for (const [what, table, headers, macroOf] of [
  ['family', families, ['sys/socket.h'], (name: string) => macros[name] ?? `AF_${name.toUpperCase()}`],
  ['type', socketTypes, ['sys/socket.h'], (name: string) => `SOCK_${name.toUpperCase()}`],
  ['IP protocol', ipProtocols, ['linux/in.h', 'linux/in6.h'], (name: string) => `IPPROTO_${name.toUpperCase()}`],
  ['netlink protocol', netlinkProtocols, ['linux/netlink.h'], (name: string) => `NETLINK_${name.toUpperCase()}`]
] as const) {
  test(`the names of every socket ${what} are those of the headers`, { skip }, () => {
    const values = headerValues(headers, Object.keys(table).map(macroOf))
    for (const [name, number] of Object.entries(table)) assert.equal(number, values.get(macroOf(name)), name)
  })
}

test('an unknown family or type has a number', () => {
  assert.deepEqual([1, 2, 10, 16, 17, 40, 99].map(familyName), [
    ...['unix', 'ipv4', 'ipv6', 'netlink', 'packet', 'vsock', 'af_99']
  ])
  assert.deepEqual([1, 2, 3, 5, 99].map(socketTypeName), ['stream', 'dgram', 'raw', 'seqpacket', '99'])
})

test('a protocol is one of its family, null for the default of IP and for a family without names', () => {
  assert.deepEqual(
    [6, 17, 1, 200, 0].map((protocol) => protocolName(2, protocol)),
    ['tcp', 'udp', 'icmp', '200', null]
  )
  assert.deepEqual([protocolName(16, 0), protocolName(16, 15), protocolName(1, 0)], ['route', 'kobject_uevent', null])
})

test('only IPv4 and IPv6 sockets have ports', () => {
  assert.deepEqual([1, 2, 10].map(isInet), [false, true, true])
})
