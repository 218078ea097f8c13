import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RuleTest, RuleTestEvent } from '../../../consumer/alerts/rule.ts'
import { runRuleTest } from '../../../consumer/alerts/rule-tests.ts'
import { ruleOf } from '../support/rule-files.ts'

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
  ...fields
})

const run = (raises: number, ...events: RuleTestEvent[]) => {
  const ruleTest: RuleTest = { name: 'case', raises, events }
  return runRuleTest(rule, ruleTest)
}

test('a case passes only when it raises as many alerts as it says', () => {
  assert.equal(run(1, event({ times: 3, every: 1 })).passed, true)
  assert.equal(run(0, event({ times: 3, every: 1 })).passed, false)
  assert.equal(run(1, event({ times: 2, every: 1 })).passed, false)
})

test('times and pauses are as written: three connects in a minute, or not quite', () => {
  assert.equal(run(1, event({}), event({ after: 29 }), event({ after: 29 })).raised, 1)
  assert.equal(run(0, event({}), event({ after: 31 }), event({ after: 31 })).raised, 0)
})

test('every alert has its last word: the quiet at the end lets it grow to all of its events', () => {
  const { alerts, raised } = run(1, event({ times: 9, every: 0.5 }))
  assert.equal(raised, 1)
  assert.deepEqual([alerts.at(-1)?.revision, alerts.at(-1)?.count], [2, 9])
})
