// The metrics that queries of rules and dashboards name, to be compared with the list in docs/metrics.md.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const page = readFileSync(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8')

/** Every metric of the page, histograms by the names of their series. */
export const documentedMetrics: ReadonlySet<string> = new Set(
  [...page.matchAll(/^\| `(ringside_\w+)` \| (\w+) \|/gm)].flatMap(([, name = '', kind]) =>
    kind === 'histogram' ? ['bucket', 'sum', 'count'].map((part) => `${name}_${part}`) : [name]
  )
)

/** The metrics in a query; those of recording rules have colons in their names. */
export const metricsIn = (query: string): string[] => [
  ...new Set(query.replaceAll(/"[^"]*"/g, '""').match(/\bringside[_:]\w+(?::\w+)*/g) ?? [])
]
