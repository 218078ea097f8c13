import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readLayout } from '../../native/ring/ring.ts'
import { commBytes, eventField, eventHeaderBytes } from '../../producer/source/raw-event.ts'
import { skip } from './observe.ts'

// The name that event.h gives what TypeScript reads.
const fieldName: Record<keyof typeof eventField, string> = {
  size: 'size',
  kind: 'kind',
  class: 'event_class',
  call: 'call',
  flags: 'flags',
  seq: 'seq',
  timeNs: 'time_ns',
  durationNs: 'duration_ns',
  ret: 'ret',
  startNs: 'start_ns',
  cgroupId: 'cgroup_id',
  cpu: 'cpu',
  nr: 'nr',
  pid: 'pid',
  tid: 'tid',
  ppid: 'ppid',
  uid: 'uid',
  fd: 'fd',
  pathSize: 'path_size',
  extraSize: 'extra_size',
  advance: 'advance',
  arg: 'arg',
  target: 'target',
  comm: 'comm',
  socketFamily: 'socket.family',
  socketType: 'socket.type',
  socketProtocol: 'socket.protocol',
  socketLocalPort: 'socket.local_port',
  socketRemotePort: 'socket.remote_port',
  socketNetns: 'socket.netns',
  socketLocalAddress: 'socket.local_address',
  socketRemoteAddress: 'socket.remote_address',
  path: 'path'
}

describe('event.h', { skip }, () => {
  it('lays struct ringside_event out as user space reads it', () => {
    const { bytes, fields } = readLayout('ringside_event')
    assert.equal(bytes, eventHeaderBytes)
    for (const [name, offset] of Object.entries(eventField)) {
      assert.equal(fields[fieldName[name as keyof typeof eventField]], offset, name)
    }
    assert.equal((fields['socket'] ?? 0) - (fields['comm'] ?? 0), commBytes)
  })

  it('has no field that user space does not know', () => {
    const unread = ['reserved', 'socket', 'socket.reserved']
    const known = new Set([...Object.values(fieldName), ...unread])
    assert.deepEqual(
      Object.keys(readLayout('ringside_event').fields).filter((name) => !known.has(name)),
      []
    )
  })

  it('lays struct ringside_config out as user space writes it', () => {
    const { bytes, fields } = readLayout('ringside_config')
    assert.equal(bytes, 69_664)
    assert.deepEqual(fields, {
      generation: 0,
      filters: 4,
      self_tgid: 8,
      family_tgid: 12,
      epoch: 16,
      groups: 20,
      go_functions: 24,
      reserved: 28,
      call_of: 32,
      mode_of: 2080,
      go: 4128
    })
  })

  it('gives each CPU three cache lines of counters', () => {
    const { bytes, fields } = readLayout('ringside_counters')
    assert.equal(bytes, 192)
    assert.deepEqual(fields, {
      seq: 0,
      emitted: 8,
      dropped: 40,
      off: 72,
      counted: 104,
      untracked: 136,
      uncounted: 144,
      reserved: 152
    })
  })

  it('gives each half of the groups a cache line for its use', () => {
    assert.deepEqual(readLayout('ringside_used'), { bytes: 64, fields: { groups: 0, reserved: 4 } })
  })

  it('lays a group of counts out as three cache lines, its counts in the latter two', () => {
    const { bytes, fields } = readLayout('ringside_group')
    assert.equal(bytes, 192)
    assert.deepEqual(fields, {
      start_ns: 0,
      cgroup_id: 8,
      pid: 16,
      tid: 20,
      ppid: 24,
      uid: 28,
      comm: 32,
      nr: 48,
      abi: 50,
      call: 51,
      event_class: 52,
      measure: 53,
      first_bucket: 54,
      sum: 56,
      counts: 64
    })
  })
})
