import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { stringify } from 'yaml'
import { lintRules, loadRules, shippedRulesDir } from '../../../consumer/alerts/load-rules.ts'
import { ruleFile } from '../support/rule-files.ts'

const folderOf = (context: TestContext, files: Readonly<Record<string, string>>): string => {
  const dir = mkdtempSync(join(tmpdir(), 'ringside-rules-'))
  context.after(() => rmSync(dir, { recursive: true }))
  mkdirSync(join(dir, 'network'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
  return dir
}

test('rules are found at any depth, in the order of their files', (t) => {
  const dir = folderOf(t, {
    'network/b.yaml': stringify(ruleFile({ id: 'b' })),
    'a.yml': stringify(ruleFile({ id: 'a' })),
    'README.md': 'not a rule'
  })
  assert.deepEqual(
    loadRules(dir).map(({ id }) => id),
    ['a', 'b']
  )
})

test('the rules that come with Ringside are the default', () => {
  assert.deepEqual(
    loadRules().map(({ id }) => id),
    loadRules(shippedRulesDir).map(({ id }) => id)
  )
})

test('a broken file refuses the folder, and the error lists every problem of every file', (t) => {
  const dir = folderOf(t, {
    'good.yaml': stringify(ruleFile({ id: 'good' })),
    'network/bad.yaml': stringify({ ...ruleFile({ id: 'bad' }), severity: 'high', attack: 'T1' }),
    'network/other.yaml': stringify(ruleFile({ id: 'another' })),
    'broken.yaml': 'id: [1'
  })
  assert.throws(
    () => loadRules(dir),
    (error: Error & { code?: string }) => {
      assert.equal(error.code, 'DATA')
      assert.match(error.message, /have 4 problem\(s\)/)
      assert.match(error.message, /network\/bad\.yaml: severity: /)
      assert.match(error.message, /network\/bad\.yaml: attack: must be an ATT&CK technique/)
      assert.match(error.message, /network\/other\.yaml: id: is "another", must be the name of the file, "other"/)
      assert.match(error.message, /broken\.yaml: rule: is not valid YAML/)
      return true
    }
  )
})

test('two files must not have the same id', (t) => {
  const text = stringify(ruleFile({ id: 'same' }))
  const { problems } = lintRules(folderOf(t, { 'same.yaml': text, 'network/same.yaml': text }))
  assert.deepEqual(problems, [{ file: 'same.yaml', path: 'id', message: '"same" is also the id of network/same.yaml' }])
})

test('a folder without rules is an error', (t) => {
  assert.throws(() => loadRules(folderOf(t, {})), { code: 'DATA', message: /no \.yaml file/ })
})

test('the error names a folder that does not exist', () => {
  assert.throws(() => loadRules('/does/not/exist'), { code: 'NO_INPUT', message: /\/does\/not\/exist/ })
})
