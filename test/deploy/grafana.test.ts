// The dashboards: generated files, layout, and queries. The compiler checks Grafana's schema.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Dashboard, Panel } from '@grafana/schema'
import { stringify } from 'yaml'
import { dashboards, dashboardsDir, jsonOf } from '../../deploy/grafana/write-dashboards.ts'
import { documentedMetrics, metricsIn } from '../support/promql.ts'
import { promtool, promtoolMissing } from '../support/promtool.ts'
import { temporaryDirectory } from '../support/ringside.ts'

const all = Object.entries(dashboards)
const panelsOf = ({ panels = [] }: Dashboard): Panel[] => panels.filter((panel): panel is Panel => 'targets' in panel)
const queriesOf = (dashboard: Dashboard): string[] =>
  panelsOf(dashboard).flatMap(({ targets = [] }) => targets.map((target) => String(target['expr'])))

test('the dashboard files are up to date', () => {
  assert.deepEqual(readdirSync(dashboardsDir).sort(), all.map(([name]) => `${name}.json`).sort())
  for (const [name, dashboard] of all) {
    const hint = 'run node deploy/grafana/write-dashboards.ts'
    assert.equal(readFileSync(join(dashboardsDir, `${name}.json`), 'utf8'), jsonOf(dashboard), hint)
  }
})

test('the panels of a dashboard fit its 24 columns and do not overlap', () => {
  for (const [name, dashboard] of all) {
    const taken = new Set<string>()
    const panels = panelsOf(dashboard)
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
    for (const { gridPos, title, description } of panels) {
      assert.ok(gridPos !== undefined && gridPos.x + gridPos.w <= 24, title)
      assert.ok((description?.length ?? 0) > 5, `${name}: ${title} has a description`)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.ok(!taken.has(`${x} ${y}`), `${name}: ${title} overlaps another`)
          taken.add(`${x} ${y}`)
        }
      }
    }
  }
})

test('promtool parses every query', { skip: promtoolMissing() }, (context) => {
  const queries = all.flatMap(([, dashboard]) => queriesOf(dashboard))
  assert.ok(queries.length > 40)
  const rules = queries.map((query, i) => ({ record: `query:${i}`, expr: query.replaceAll('$__rate_interval', '1m') }))
  const path = join(temporaryDirectory(context, 'grafana'), 'queries.yaml')
  writeFileSync(path, stringify({ groups: [{ name: 'queries', rules }] }))
  const { code, text } = promtool(['check', 'rules', path])
  assert.equal(code, 0, text)
})

test('queries and variables use documented metrics and existing variables', () => {
  for (const [name, dashboard] of all) {
    const variables = dashboard.templating?.list ?? []
    const asked = [...queriesOf(dashboard), ...variables.map(({ query }) => JSON.stringify(query ?? ''))]
    const named = asked.flatMap((query) => metricsIn(query.replaceAll('\\"', "'").replaceAll('"', ' ')))
    assert.deepEqual(
      named.filter((metric) => !documentedMetrics.has(metric)),
      [],
      name
    )
    const used = queriesOf(dashboard).flatMap((query) => [...query.matchAll(/\$(?!__)(\w+)/g)].map(([, each]) => each))
    const known = new Set(variables.map((variable) => variable.name))
    assert.deepEqual(
      used.filter((each) => !known.has(each ?? '')),
      [],
      name
    )
  }
})
