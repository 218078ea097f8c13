// The rules for Prometheus: promtool checks their syntax and runs their tests, which cover every alert.
import assert from 'node:assert/strict'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { documentedMetrics, metricsIn } from '../support/promql.ts'
import { promtool, promtoolMissing } from '../support/promtool.ts'
import { temporaryDirectory } from '../support/ringside.ts'

const dir = join(import.meta.dirname, '../../deploy/prometheus')
const read = (file: string): string => readFileSync(join(dir, file), 'utf8')

interface Rule {
  readonly record?: string
  readonly alert?: string
  readonly expr: string
  readonly labels?: { readonly severity: string }
  readonly annotations?: { readonly summary: string; readonly runbook: string }
}

interface RuleTest {
  readonly name: string
  readonly input_series: readonly { readonly series: string }[]
  readonly promql_expr_test: readonly { readonly exp_samples: readonly { readonly labels: string }[] }[]
}

const rules = (parse(read('ringside.rules.yaml')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules
)
const alerts = rules.filter(({ alert }) => alert !== undefined)
const tests = (parse(read('ringside.rules.test.yaml')) as { tests: RuleTest[] }).tests
const alertTests = tests.filter(({ name }) => !rules.some(({ record }) => record === name))

test('Prometheus accepts the rules and the scrape configuration', { skip: promtoolMissing() }, (context) => {
  const checked = promtool(['check', 'rules', '--lint=all', '--lint-fatal', join(dir, 'ringside.rules.yaml')])
  assert.equal(checked.code, 0, checked.text)
  // The token file of the example does not exist here.
  const copy = temporaryDirectory(context, 'prometheus')
  cpSync(dir, copy, { recursive: true })
  const config = read('prometheus.yaml').replace(/ {4}authorization:\n.*\n/, '')
  writeFileSync(join(copy, 'prometheus.yaml'), config)
  const scraped = promtool(['check', 'config', join(copy, 'prometheus.yaml')])
  assert.equal(scraped.code, 0, scraped.text)
})

test('every alert fires for its condition only, and calls with expected errors are not recorded as failed', {
  skip: promtoolMissing()
}, () => {
  const { code, text } = promtool(['test', 'rules', join(dir, 'ringside.rules.test.yaml')])
  assert.equal(code, 0, text)
})

test('every severity of every alert has a test, with a quiet series', () => {
  const expected = alertTests.flatMap(({ name, promql_expr_test }) =>
    promql_expr_test.flatMap(({ exp_samples }) =>
      exp_samples.map(({ labels }) => `${name} ${/severity="(\w+)"/.exec(labels)?.[1]}`)
    )
  )
  const declared = alerts.map(({ alert, labels }) => `${alert} ${labels?.severity}`)
  assert.deepEqual([...new Set(expected)].sort(), declared.toSorted())
  for (const { name, input_series } of alertTests) {
    assert.ok(
      input_series.some(({ series }) => series.includes('"quiet"')),
      name
    )
  }
})

test('every alert has three severities and a runbook', () => {
  for (const [name, levels] of Map.groupBy(alerts, ({ alert }) => alert)) {
    assert.deepEqual(
      levels.map(({ labels }) => labels?.severity),
      ['notice', 'warning', 'critical'],
      name
    )
    for (const { annotations } of levels) assert.ok((annotations?.runbook.length ?? 0) > 60, name)
    assert.ok(read('README.md').includes(`\`${name}\``), name)
  }
})

test('rules use documented metrics only', () => {
  const recorded = new Set(rules.flatMap(({ record }) => record ?? []))
  const named = rules.flatMap(({ expr }) => metricsIn(expr))
  const texts = rules.flatMap(({ annotations }) => metricsIn(annotations?.runbook ?? ''))
  assert.deepEqual(
    [...named, ...texts].filter((name) => !documentedMetrics.has(name) && !recorded.has(name)),
    []
  )
})
