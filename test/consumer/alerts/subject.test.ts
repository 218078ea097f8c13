import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { conditionEnvironment, fields, Subject } from '../../../consumer/alerts/subject.ts'
import { batchOf, eventOf, processOf, socketOf } from '../support/batches.ts'

const subjectOf = (event: Parameters<typeof eventOf>[0], announced = false): Subject => {
  const batch = batchOf({
    sockets: [
      socketOf({ local_address: '10.0.0.1', local_port: 40_000, remote_address: '203.0.113.9', remote_port: 443 }),
      { ...socketOf({}), family: 1, local_address: Buffer.alloc(0), remote_address: Buffer.alloc(0) }
    ]
  })
  const subject = new Subject()
  subject.begin(batch, () => announced)
  return subject.set(eventOf(event), processOf())
}

test('every field has the type that the check of conditions assumes', () => {
  for (const socket of [-1, 0, 1]) {
    const subject = subjectOf({ syscall: 'connect', socket })
    for (const field of fields) {
      const type = typeof subject[field]
      const condition = { string: `${field} == ''`, bigint: `${field} == 0`, boolean: field }[type as 'string']
      const compiled = conditionEnvironment().parse(condition ?? '')
      assert.equal(compiled.check().valid, true, `${field} is a ${type}`)
      assert.equal(typeof compiled(subject as unknown as Record<string, unknown>), 'boolean', field)
    }
  }
})

test('the page of rules names every field of a condition, and no other', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/rules.md'), 'utf8')
  const section = page.slice(page.indexOf('## Fields of a condition'), page.indexOf('Fields are typed'))
  const named = [...section.matchAll(/`([a-z_]+)`(?=[,;\]]| +\|)/g)].map(([, name]) => name as string)
  assert.deepEqual(named.toSorted(), [...fields].toSorted())
})

test('an event says how its path came about, its flags by name, and of what kind its socket is', () => {
  const open = subjectOf({ syscall: 'openat', arg: 0o101, path: '/x', path_given: 'y', path_opened: true })
  assert.deepEqual(
    [open.path_given, open.path_opened, open.path_truncated, open.path_deleted, open.flags, open.request],
    ['y', true, false, false, 'O_WRONLY|O_CREAT', '']
  )
  assert.equal(subjectOf({ syscall: 'openat', kind: 'io_uring', call: 'io_uring_openat', arg: 18 }).flags, '')
  const ptrace = subjectOf({ syscall: 'ptrace', arg: 16, target_pid: 7 })
  assert.deepEqual([ptrace.request, ptrace.flags, ptrace.target_pid], ['PTRACE_ATTACH', '', 7n])
  const { socket_type, address_given, netns } = subjectOf({ socket: 0, address_given: true })
  assert.deepEqual([socket_type, address_given, netns], ['stream', true, BigInt(socketOf({}).netns)])
})

test('an event of a connection has both addresses and ports', () => {
  const { family, protocol, local_address, local_port, remote_address, remote_port, external } = subjectOf({
    socket: 0
  })
  assert.deepEqual(
    [family, protocol, local_address, local_port, remote_address, remote_port, external],
    ['ipv4', 'tcp', '10.0.0.1', 40_000n, '203.0.113.9', 443n, true]
  )
})

test('a field that does not apply is empty or -1, and never external', () => {
  for (const [socket, name] of [
    [-1, ''],
    [1, 'unix']
  ] as const) {
    const { family, protocol, local_address, local_port, remote_port, external } = subjectOf({ socket })
    assert.deepEqual(
      [family, protocol, local_address, local_port, remote_port, external],
      [name, '', '', -1n, -1n, false]
    )
  }
  assert.equal(subjectOf({ kind: 'exec', syscall: 'none' }).syscall, '')
})

test('set() selects another event of the batch', () => {
  const subject = subjectOf({ socket: 0 })
  assert.equal(subject.remote_port, 443n)
  assert.equal(subject.set(eventOf({ socket: -1, ret: -111 }), processOf({ comm: 'other' })).remote_address, '')
  assert.deepEqual([subject.comm, subject.errno], ['other', 'ECONNREFUSED'])
})

test('an event has a verdict, the outcome of a connect that of a connect', () => {
  const outcome = { kind: 'connect_outcome', syscall: 'none' } as const
  assert.deepEqual(
    [
      { syscall: 'connect', ret: -115 },
      { syscall: 'connect', ret: -111 },
      { ...outcome, ret: -111 },
      { ...outcome, ret: 0 }
    ].map((event) => subjectOf(event).verdict),
    ['expected', 'failed', 'failed', 'ok']
  )
})

test('only an outcome without its call has an unknown call', () => {
  const outcome = { kind: 'connect_outcome', syscall: 'none' } as const
  assert.equal(subjectOf({ ...outcome, call_cpu: -1, call_seq: -1 }).call_known, false)
  assert.equal(subjectOf({ ...outcome, call_cpu: 0, call_seq: 0 }).call_known, true)
  assert.equal(subjectOf({ syscall: 'connect' }).call_known, true)
})
