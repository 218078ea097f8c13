// Rule files for tests: whole files from the few fields that a test sets.
import assert from 'node:assert/strict'
import { parseRule, type Rule } from '../../../consumer/alerts/rule.ts'

export const ruleFile = (fields: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  id: 'test_rule',
  version: 1,
  title: 'A test',
  attack: 'T1046',
  severity: 'notice',
  description: 'For tests.',
  falsePositives: [],
  events: ['connect'],
  condition: 'external',
  threshold: { count: 3, windowSeconds: 60 },
  cooldownSeconds: 60,
  explanation: '{comm} made {count} connects.',
  tests: [
    { name: 'raises', raises: 1, events: [{ event: 'connect', times: 3, remote: '203.0.113.1:80' }] },
    { name: 'must not', raises: 0, events: [{ event: 'connect', times: 2, remote: '203.0.113.1:80' }] }
  ],
  ...fields
})

export const ruleOf = (fields: Readonly<Record<string, unknown>> = {}): Rule => {
  const result = parseRule(ruleFile(fields))
  return 'rule' in result ? result.rule : assert.fail(JSON.stringify(result.problems))
}
