import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRule } from '../../../consumer/alerts/rule.ts'
import { Subject } from '../../../consumer/alerts/subject.ts'
import type { Event } from '../../../wire/types.ts'
import { batchOf, eventOf, processOf, socketOf } from '../support/batches.ts'
import { ruleFile, ruleOf } from '../support/rule-files.ts'

const problemsOf = (fields: Readonly<Record<string, unknown>>): string[] => {
  const result = parseRule(ruleFile(fields))
  return 'problems' in result ? result.problems.map(({ path, message }) => `${path}: ${message}`) : []
}

const subjectOf = (fields: Partial<Event>, remote = '203.0.113.1', announced = true): Subject => {
  const socket = socketOf({ local_address: '10.0.0.1', local_port: 50_000, remote_address: remote, remote_port: 443 })
  const event = eventOf({ syscall: 'connect', socket: 0, ...fields })
  const subject = new Subject()
  subject.begin(batchOf({ sockets: [socket], events: [event] }), () => announced)
  return subject.set(event, processOf({ exe: '/usr/bin/curl' }))
}

test('a condition evaluates the fields of an event', () => {
  const holds = (condition: string, fields: Partial<Event> = {}): boolean =>
    ruleOf({ condition }).holds(subjectOf(fields))
  assert.equal(holds('external && remote_port == 443 && protocol == "tcp"'), true)
  assert.equal(holds('exe.startsWith("/usr/bin/") && comm == "client" && uid != 0'), true)
  assert.equal(holds('errno == "EINPROGRESS" && ret < 0', { ret: -115 }), true)
  assert.equal(holds('errno == ""', { ret: 0 }), true)
  assert.equal(holds('path == "" && local_port > 0'), true)
  assert.equal(holds('announced'), true)
  assert.equal(holds('remote_address in ["10.0.0.1"]'), false)
  assert.equal(holds('remote_port == -1 && family == "" && !external', { socket: -1 }), true)
})

test('a condition that cannot be evaluated is false', () => {
  assert.equal(ruleOf({ condition: '1 / ret > 0' }).holds(subjectOf({ ret: 0 })), false)
})

test('a condition with a mistake is refused', () => {
  assert.match(problemsOf({ condition: 'remote_prt == 443' })[0] ?? '', /^condition: .*remote_prt/)
  assert.match(problemsOf({ condition: 'remote_port == "443"' })[0] ?? '', /^condition: no such overload/)
  assert.match(problemsOf({ condition: 'external &&' })[0] ?? '', /^condition: /)
  assert.deepEqual(problemsOf({ condition: 'ret' }), ['condition: has type int, must be bool: ret'])
})

test('all problems of a file are reported at once', () => {
  const problems = problemsOf({ id: 'Bad Id', severity: 'high', events: ['conect'], threshold: { count: 0 }, extra: 1 })
  assert.equal(problems.length, 6)
  for (const path of ['id', 'severity', 'events.0', 'threshold.count', 'threshold.windowSeconds', 'rule']) {
    assert.ok(
      problems.some((problem) => problem.startsWith(`${path}: `)),
      path
    )
  }
})

test('rules that a schema cannot express are checked, too', () => {
  assert.deepEqual(
    problemsOf({
      cooldownSeconds: 5,
      explanation: '{nobody} did it {count} times',
      tests: [{ name: 'a', raises: 0, events: [{ event: 'konnect' }] }]
    }),
    [
      'cooldownSeconds: 5 is less than threshold.windowSeconds, 60',
      'explanation: {nobody} is neither a field nor one of count, seconds, threshold, window',
      'tests: must have a case that raises an alert',
      'tests.0.events.0.event: there is no event "konnect"'
    ]
  )
})

test('an allow entry exempts events that are in all of its lists', () => {
  const { isAllowed } = ruleOf({
    allow: [{ networks: ['203.0.113.0/24'], exes: ['/usr/bin/curl'], remotePorts: [443], reason: 'updates' }]
  })
  assert.equal(isAllowed(subjectOf({})), true)
  assert.equal(isAllowed(subjectOf({}, '198.51.100.1')), false)
})

test('an allow entry needs a reason and a list', () => {
  assert.deepEqual(problemsOf({ allow: [{ reason: 'why not' }] }), [
    'allow.0: must have networks, exes, localPorts or remotePorts'
  ])
  assert.match(
    problemsOf({ allow: [{ networks: ['10.0.0.0/40'], reason: '' }] }).join('\n'),
    /allow\.0\.networks\.0: .*\n?.*allow\.0\.reason/
  )
})

test('the terms of a condition are its parts between &&, with their fields', () => {
  assert.deepEqual(ruleOf({ condition: 'external && (ret == 0 || ret == -115) && !(remote_port in [53])' }).terms, [
    { text: 'external', fields: ['external'] },
    { text: 'ret == 0 || ret == -115', fields: ['ret'] },
    { text: '!(remote_port in [53])', fields: ['remote_port'] }
  ])
})
