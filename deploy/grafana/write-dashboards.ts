// Writes the dashboards as JSON for Grafana: node deploy/grafana/write-dashboards.ts
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Dashboard } from '@grafana/schema'
import { calls } from './calls.ts'
import { edgeLedger } from './edge.ts'
import { overview } from './overview.ts'

/** By file name. */
export const dashboards: Readonly<Record<string, Dashboard>> = { overview, calls, edge: edgeLedger }

export const dashboardsDir = join(import.meta.dirname, 'dashboards')

export const jsonOf = (dashboard: Dashboard): string => `${JSON.stringify(dashboard, null, 2)}\n`

if (import.meta.main) {
  for (const [name, dashboard] of Object.entries(dashboards)) {
    writeFileSync(join(dashboardsDir, `${name}.json`), jsonOf(dashboard))
  }
}
