import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { lintRules, shippedRulesDir } from '../../consumer/alerts/load-rules.ts'
import { runRuleTest } from './support/run-rule-test.ts'

const { rules, problems } = lintRules(shippedRulesDir)

test('every rule file is valid', () => {
  assert.deepEqual(problems, [])
  assert.ok(rules.length >= 3)
})

for (const rule of rules) {
  describe(`rule ${rule.id}`, () => {
    for (const ruleTest of rule.tests) {
      test(ruleTest.name, () => {
        const { raised, alerts } = runRuleTest(rule, ruleTest)
        assert.equal(raised, ruleTest.raises, JSON.stringify(alerts, null, 2))
        for (const alert of alerts) {
          assert.doesNotMatch(alert.explanation, /\{|unknown/)
          assert.ok(alert.evidence.length > 0 && alert.evidence.length <= 20)
        }
      })
    }
  })
}
