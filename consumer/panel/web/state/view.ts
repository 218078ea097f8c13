// The user's choices ↔ the query of the page's address, so that every view has a link. Defaults are not in the query;
// invalid values in it are ignored. Pure.
import type { Filter, TopBy } from '../../protocol.ts'
import { defaultRange, type Range, ranges } from './ranges.ts'

export const topGroups = ['workload', 'process', 'call', 'go_function'] as const satisfies readonly TopBy[]
export const topColumns = ['callsPerSecond', 'failedPerSecond', 'p50', 'p99', 'timeShare'] as const
export type TopColumn = (typeof topColumns)[number]

/** The fields of the audit search as text. Times are local, as the fields have them, or ISO 8601. */
export interface AuditForm {
  readonly from: string
  readonly to: string
  readonly host: string
  readonly call: string
  readonly program: string
  readonly pid: string
  readonly target: string
  readonly failed: boolean
}

export interface View {
  readonly filter: Filter
  readonly range: Range
  /** End of the time range, milliseconds since the epoch; null: live. */
  readonly atMs: number | null
  readonly by: TopBy
  readonly sort: TopColumn
  /** The audit search; null: none. */
  readonly audit: AuditForm | null
}

export const emptyForm: AuditForm = {
  from: '',
  to: '',
  host: '',
  call: '',
  program: '',
  pid: '',
  target: '',
  failed: false
}

export const defaultView: View = {
  filter: {},
  range: defaultRange,
  atMs: null,
  by: 'workload',
  sort: 'callsPerSecond',
  audit: null
}

export const filterNames = ['host', 'workload', 'call'] as const
const formTexts = ['from', 'to', 'host', 'call', 'program', 'pid', 'target'] as const
const auditPrefix = 'audit.'

/** The filter with one name set; '' removes the name. */
export const withName = (filter: Filter, name: (typeof filterNames)[number], value: string): Filter => {
  const { [name]: _, ...others } = filter
  return value === '' ? others : { ...others, [name]: value }
}

export const isFiltered = (filter: Filter): boolean => filterNames.some((name) => filter[name] !== undefined)

const readForm = (query: URLSearchParams): AuditForm | null => {
  if (![...query.keys()].some((name) => name.startsWith(auditPrefix))) return null
  const texts = formTexts.map((name) => [name, query.get(`${auditPrefix}${name}`) ?? ''])
  return { ...emptyForm, ...Object.fromEntries(texts), failed: query.get(`${auditPrefix}failed`) === '1' }
}

/** @param search of a location, with or without the question mark */
export const readView = (search: string): View => {
  const query = new URLSearchParams(search)
  const at = Date.parse(query.get('at') ?? '')
  return {
    filter: filterNames.reduce<Filter>((filter, name) => withName(filter, name, query.get(name) ?? ''), {}),
    range: ranges.find(({ name }) => name === query.get('range')) ?? defaultView.range,
    atMs: Number.isNaN(at) ? null : at,
    by: topGroups.find((group) => group === query.get('by')) ?? defaultView.by,
    sort: topColumns.find((column) => column === query.get('sort')) ?? defaultView.sort,
    audit: readForm(query)
  }
}

/** The query with its question mark; '' for the default view. */
export const writeView = ({ filter, range, atMs, by, sort, audit }: View): string => {
  const query = new URLSearchParams()
  for (const name of filterNames) if (filter[name] !== undefined) query.set(name, filter[name])
  if (range !== defaultView.range) query.set('range', range.name)
  if (atMs !== null) query.set('at', new Date(atMs).toISOString())
  if (by !== defaultView.by) query.set('by', by)
  if (sort !== defaultView.sort) query.set('sort', sort)
  if (audit !== null) {
    for (const name of formTexts) if (audit[name] !== '') query.set(`${auditPrefix}${name}`, audit[name])
    if (audit.failed) query.set(`${auditPrefix}failed`, '1')
  }
  return query.size === 0 ? '' : `?${query}`
}
