import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { kernelTimeoutMs } from '../support/kernel.ts'
import { callsOf, commOf, kindsOf, observe, observeProgram, program, run, skip } from './observe.ts'

const econnrefused = -111
const einprogress = -115
const ecanceled = -125
const eaddrnotavail = -99

const listen = (): Promise<{ port: number; close: () => void }> =>
  new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy())
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      resolve({ port: typeof address === 'object' ? (address?.port ?? 0) : 0, close: () => server.close() })
    })
  })

describe('the outcome of a TCP connect', { skip, timeout: kernelTimeoutMs }, () => {
  it('is an event, also of a connect that does not block', async () => {
    const server = await listen()
    const closed = await listen()
    closed.close()
    const { events, result } = await observeProgram('connect', String(server.port), String(closed.port))
    server.close()
    const calls = callsOf(events, 'connect')
    assert.deepEqual(
      calls.map((event) => event.ret),
      [einprogress, einprogress]
    )
    const outcomes = kindsOf(events, 'connect_outcome')
    assert.deepEqual(
      outcomes.map((event) => [event.call, event.class, event.ret, event.fd, event.socket?.remote]),
      [
        ['none', 'network', 0, calls[0]?.fd, `127.0.0.1:${server.port}`],
        ['none', 'network', econnrefused, calls[1]?.fd, `127.0.0.1:${closed.port}`]
      ]
    )
    for (const outcome of outcomes) {
      assert.deepEqual([outcome.pid, outcome.tid, outcome.comm], [result.pid, result.pid, 'rs-connect'])
      assert.ok(outcome.startNs === calls[0]?.startNs && outcome.durationNs > 0)
    }
  })

  it('is ECANCELED if the socket is closed before the outcome', async () => {
    // In a new network namespace, which routes 203.0.113.0/24 to loopback, where no interface has the address.
    const setUp = [
      'ip link set lo up',
      'ip addr add 203.0.113.2/32 dev lo',
      'ip route add 203.0.113.0/24 dev lo src 203.0.113.2'
    ]
    const script = [...setUp, 'exec "$@"'].join(' && ')
    const path = program('connect')
    const { events } = await observe({ comms: [commOf('connect')] }, () =>
      run('unshare', '--net', 'sh', '-c', script, 'sh', path, 'give-up')
    )
    const [outcome] = kindsOf(events, 'connect_outcome')
    assert.deepEqual([outcome?.ret, outcome?.socket?.remote], [ecanceled, '203.0.113.1:80'])
    assert.notEqual(outcome?.socket?.netns, 0)
  })

  it('is not emitted when the result of the call is the outcome, nor for the accepting end', async () => {
    const { events } = await observeProgram('tcp', '4')
    assert.deepEqual(
      callsOf(events, 'connect')
        .map((event) => event.ret)
        .sort(),
      [0, 0]
    )
    assert.deepEqual(kindsOf(events, 'connect_outcome'), [])
  })

  it('is not emitted for a connect that fails before its SYN', async () => {
    const setUp = ['ip link set lo up', 'echo 40000 40000 > /proc/sys/net/ipv4/ip_local_port_range']
    const script = [...setUp, 'exec "$@"'].join(' && ')
    const path = program('no_port')
    const { events, result } = await observe({ comms: [commOf('no_port')] }, () =>
      run('unshare', '--net', 'sh', '-c', script, 'sh', path)
    )
    assert.ok(result.code === 0 || result.code === 2)
    assert.deepEqual(
      callsOf(events, 'connect').map((event) => event.ret),
      [0, eaddrnotavail]
    )
    assert.deepEqual(
      callsOf(events, 'sendto').map((event) => event.ret),
      [eaddrnotavail]
    )
    assert.deepEqual(kindsOf(events, 'connect_outcome'), [])
    for (const { ret } of kindsOf(events, 'io_uring_outcome')) assert.equal(ret, eaddrnotavail)
  })

  it('has the protocol of the call, also for Multipath TCP', async () => {
    const mptcp = 262
    const server = await listen()
    const { events } = await observeProgram('connect', 'mptcp', String(server.port))
    server.close()
    const [outcome] = kindsOf(events, 'connect_outcome')
    assert.deepEqual(
      [callsOf(events, 'connect')[0]?.socket?.protocol, outcome?.socket?.protocol, outcome?.ret],
      [mptcp, mptcp, 0]
    )
  })

  it('is not emitted while connect is off', async () => {
    const path = program('tcp')
    const { events } = await observe({ comms: [commOf('tcp')], calls: { connect: 'off' } }, () => run(path, '4'))
    assert.deepEqual(kindsOf(events, 'connect_outcome'), [])
    assert.deepEqual(callsOf(events, 'connect'), [])
    assert.equal(callsOf(events, 'listen').length, 1)
  })
})
