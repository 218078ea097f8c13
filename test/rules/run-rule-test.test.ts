import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RuleTestEvent } from '../../consumer/alerts/rule-file.ts'
import { ruleOf } from '../consumer/support/rule-files.ts'
import { runRuleTest } from './support/run-rule-test.ts'

const rule = ruleOf({ threshold: { count: 3, windowSeconds: 60 }, cooldownSeconds: 60 })

const event = (fields: Partial<RuleTestEvent>): RuleTestEvent => ({
  event: 'connect',
  after: 0,
  times: 1,
  every: 0,
  ret: -115,
  remote: '203.0.113.*:443',
  protocol: 'tcp',
  pid: 1000,
  ppid: 1,
  comm: 'program',
  exe: '/usr/bin/program',
  began: 1,
  pathOpened: false,
  pathTruncated: false,
  pathDeleted: false,
  arg: -1,
  targetPid: -1,
  addressGiven: false,
  argumentChanged: false,
  ...fields
})

const run = (...events: RuleTestEvent[]) => runRuleTest(rule, { name: 'case', raises: 0, events })

test('a case counts the alerts that it raises', () => {
  assert.equal(run(event({ times: 3, every: 1 })).raised, 1)
  assert.equal(run(event({ times: 2, every: 1 })).raised, 0)
})

test('events have the times and pauses of the case: three connects in a minute, or not quite', () => {
  assert.equal(run(event({}), event({ after: 29 }), event({ after: 29 })).raised, 1)
  assert.equal(run(event({}), event({ after: 31 }), event({ after: 31 })).raised, 0)
})

test('the quiet time at the end publishes all growth of an alert', () => {
  const { alerts, raised } = run(event({ times: 9, every: 0.5 }))
  assert.equal(raised, 1)
  assert.deepEqual([alerts.at(-1)?.revision, alerts.at(-1)?.count], [2, 9])
})
