import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { kernelTimeoutMs } from '../support/kernel.ts'
import { ipv6Missing } from '../support/network.ts'
import { callsOf, kindsOf, observeProgram, type Seen, skip } from './observe.ts'

const folder = mkdtempSync(join(tmpdir(), 'ringside-test-'))
after(() => rmSync(folder, { recursive: true }))

const eagain = -11
const ends = (event: Seen | undefined) => [event?.socket?.local, event?.socket?.remote]
const portOf = (address: string | undefined) => address?.slice(address.lastIndexOf(':') + 1)

const loopback = { 4: '127.0.0.1', 6: '0:0:0:0:0:0:0:1' }
const any = { 4: '0.0.0.0', 6: '0:0:0:0:0:0:0:0' }

describe('calls on sockets', { skip, timeout: kernelTimeoutMs }, () => {
  it('carry the cid and port of a vsock, bound or named by a connect that fails', async (test) => {
    const { events, result } = await observeProgram('vsock')
    if (result.code === 2) return test.skip('this kernel has no AF_VSOCK')
    const [bind] = callsOf(events, 'bind')
    const [connect] = callsOf(events, 'connect')
    assert.deepEqual([bind?.ret, bind?.socket?.local], [0, '4294967295:5000'])
    assert.ok((connect?.ret ?? 0) < 0)
    assert.deepEqual([connect?.socket?.family, connect?.socket?.remote], [40, '3:9999'])
  })

  for (const version of [4, 6] as const) {
    it(`carry both addresses of a TCP connection, IPv${version}`, {
      skip: version === 6 && ipv6Missing()
    }, async () => {
      const { events, result } = await observeProgram('tcp', String(version))
      const listening = `${loopback[version]}:${result.stdout.trim()}`
      const none = `${any[version]}:0`

      const [bind] = callsOf(events, 'bind')
      assert.deepEqual(ends(bind), [listening, none], 'the assigned port instead of port 0')
      const [listen] = callsOf(events, 'listen')
      assert.deepEqual(ends(listen), [listening, none])

      const connects = callsOf(events, 'connect')
      assert.deepEqual(
        connects.map((event) => [event.ret, event.socket?.remote]),
        [
          [0, listening],
          [0, listening]
        ]
      )
      const clients = connects.map((event) => event.socket?.local)
      assert.ok(clients.every((client) => client?.startsWith(loopback[version]) && portOf(client) !== '0'))

      const accepts = [...callsOf(events, 'accept'), ...callsOf(events, 'accept4')]
      assert.deepEqual(accepts.slice(0, 2).map(ends), [
        [listening, clients[0]],
        [listening, clients[1]]
      ])
      assert.equal(accepts[2]?.ret, eagain)
      assert.deepEqual(ends(accepts[2]), [listening, none], 'the listener, without a connection')
      assert.ok(accepts.every((event) => event.fd === listen?.fd))

      const [write] = callsOf(events, 'write')
      assert.deepEqual([write?.ret, ...ends(write)], [7, clients[0], listening])
      const [read] = callsOf(events, 'read')
      assert.deepEqual([read?.ret, ...ends(read)], [7, listening, clients[0]])
      assert.deepEqual(callsOf(events, 'close').map(ends), [
        [listening, clients[0]],
        [listening, clients[1]]
      ])

      const netns = statSync('/proc/self/ns/net').ino
      for (const event of [bind, ...connects, ...accepts, write]) {
        const socket = event?.socket
        assert.deepEqual(
          [socket?.family, socket?.type, socket?.protocol, socket?.netns],
          [version === 4 ? 2 : 10, 1, 6, netns]
        )
      }
    })
  }

  it('carry the destination of a datagram, from the argument or from the connected socket', async () => {
    const { events } = await observeProgram('udp', '4242')
    const to = '127.0.0.1:4242'
    const [named, connected, mapped, failed] = callsOf(events, 'sendto')
    assert.deepEqual([named?.ret, named?.socket?.remote, named?.socket?.protocol], [1, to, 17])
    assert.notEqual(portOf(named?.socket?.local), '0', 'bound by sending')
    const client = callsOf(events, 'connect')[0]?.socket?.local
    assert.deepEqual([connected?.ret, ...ends(connected)], [2, client, to])
    assert.deepEqual(
      [mapped?.ret, mapped?.socket?.family, mapped?.socket?.remote],
      [4, 10, '0:0:0:0:0:ffff:7f00:1:4242'],
      'an IPv4 address passed to an IPv6 socket'
    )
    assert.deepEqual(
      [failed?.ret, failed?.fd, failed?.socket?.family, failed?.socket?.remote],
      [-9, -1, 2, to],
      'the argument of a call on no socket'
    )
    const [first, second] = callsOf(events, 'sendmsg')
    assert.deepEqual([first?.ret, first?.socket?.remote], [5, to])
    assert.equal(second?.socket?.remote, to)
    assert.equal(callsOf(events, 'write')[0]?.socket?.remote, to)
  })

  it('carry the names of AF_UNIX sockets, abstract ones with "@"', async () => {
    const path = join(folder, 'socket')
    const abstract = `ringside-test-${process.pid}`
    const { events } = await observeProgram('unix', path, abstract)
    const named = (call: string) => callsOf(events, call).map((event) => [event.path, event.socket?.family])
    const both = [
      [path, 1],
      [`@${abstract}`, 1]
    ]
    for (const call of ['bind', 'listen', 'accept4', 'write']) assert.deepEqual(named(call), both, call)
    assert.deepEqual(named('connect'), [...both, ['/nowhere/at-all', 1]])
    assert.ok(callsOf(events, 'bind').every((event) => event.ret === 0))
    assert.ok((callsOf(events, 'connect')[2]?.ret ?? 0) < 0)
  })

  it('of IPv6 carry an IPv4 peer as a mapped address, and of IPv4 as it is', { skip: ipv6Missing() }, async () => {
    const { events, result } = await observeProgram('peers', 'mapped')
    const port = Number(result.stdout)
    const mapped = `0:0:0:0:0:ffff:7f00:1:${port}`
    const [v4, v6] = callsOf(events, 'connect')
    assert.deepEqual([v4?.socket?.family, v4?.socket?.remote], [2, `127.0.0.1:${port}`])
    assert.deepEqual([v6?.socket?.family, v6?.socket?.remote], [10, mapped])
    const [accept] = callsOf(events, 'accept4')
    const client = portOf(v4?.socket?.local)
    assert.deepEqual([accept?.socket?.family, ...ends(accept)], [10, mapped, `0:0:0:0:0:ffff:7f00:1:${client}`])
  })

  it('that disconnect a socket carry no peer, and neither does the socket afterwards', async () => {
    const { events, result } = await observeProgram('peers', 'unspecified')
    assert.equal(result.code, 0)
    const server = `127.0.0.1:${Number(result.stdout)}`
    const none = '0.0.0.0:0'
    assert.deepEqual(
      callsOf(events, 'connect').map((event) => [event.ret, event.socket?.type, event.socket?.remote]),
      [
        [0, 1, server],
        [0, 1, none],
        [0, 2, server],
        [0, 2, none]
      ]
    )
    assert.ok(callsOf(events, 'connect').every((event) => !event.isAddressGiven && !event.isArgumentChanged))
    assert.deepEqual(
      callsOf(events, 'sendto').map((event) => [event.ret < 0, event.socket?.remote]),
      [
        [true, none],
        [true, none]
      ]
    )
    assert.deepEqual(kindsOf(events, 'connect_outcome'), [])
  })

  it('that connect by TCP fast open carry the peer, and the outcome names the call', async () => {
    const { events, result } = await observeProgram('peers', 'fast-open')
    assert.equal(result.code, 0)
    const [sendto] = callsOf(events, 'sendto')
    const server = `127.0.0.1:${Number(result.stdout)}`
    assert.deepEqual([sendto?.ret, sendto?.socket?.remote, sendto?.isAddressGiven], [5, server, false])
    assert.deepEqual(
      kindsOf(events, 'connect_outcome').map((event) => [
        event.ret,
        event.socket?.remote,
        event.origin,
        event.originId
      ]),
      [[0, server, sendto?.cpu, sendto?.seq]]
    )
  })

  it('carry the addresses of a socket that another process passed on, under the pid of the caller', async () => {
    const { events, result } = await observeProgram('peers', 'passed')
    assert.equal(result.code, 0)
    const [port, child] = result.stdout.trim().split('\n').map(Number)
    const server = `127.0.0.1:${port}`
    const [connect] = callsOf(events, 'connect')
    const client = connect?.socket?.local
    const [sendto] = callsOf(events, 'sendto')
    const [accept] = callsOf(events, 'accept4')
    assert.deepEqual([connect?.pid, ...ends(connect)], [result.pid, client, server])
    assert.deepEqual([sendto?.pid, sendto?.ret, ...ends(sendto)], [child, 5, client, server])
    assert.deepEqual([accept?.pid, ...ends(accept)], [child, server, client])
  })

  it('carry a name of AF_UNIX as it was passed, as long as the field is, and one that the kernel chose', async () => {
    const { events } = await observeProgram('peers', 'names', folder)
    const binds = callsOf(events, 'bind')
    assert.ok(binds.every((event) => event.ret === 0))
    assert.deepEqual(
      binds.slice(0, 3).map((event) => event.path),
      ['relative', 'l'.repeat(108), '@ringside\0\ufffd']
    )
    assert.match(binds[3]?.path ?? '', /^@[0-9a-f]{5}$/)
  })

  it('include no duplicate above 2, and only those closes that close a socket', async () => {
    const { events } = await observeProgram('descriptors')
    assert.deepEqual([...callsOf(events, 'dup2'), ...callsOf(events, 'dup3')], [])
    const closed = callsOf(events, 'close').map((event) => [event.fd === 20, event.ret, event.socket?.family])
    assert.deepEqual(closed, [
      [true, 0, 2],
      [false, 0, 2]
    ])
  })

  it('carry the address of a failed bind', async () => {
    const { events } = await observeProgram('descriptors')
    const [bind] = callsOf(events, 'bind')
    assert.deepEqual([bind?.ret, bind?.socket?.local], [-99, '203.0.113.9:81'])
  })
})
