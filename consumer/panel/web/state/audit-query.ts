// Fields of the audit search → query of the service; its rows → texts of the table. Pure.
import { pathText } from '../../../../wire/path-text.ts'
import type { AuditRecord } from '../../../../wire/types.ts'
import { type AuditQuery, endpointText } from '../../protocol.ts'
import type { AuditForm } from './view.ts'

/** Empty times become the time range of the charts. All times become absolute, so that a link keeps its meaning. */
export const resolvedForm = (form: AuditForm, shown: { fromMs: number; toMs: number }): AuditForm => {
  const absolute = (text: string, defaultMs: number): string => {
    const time = Date.parse(text)
    return new Date(Number.isNaN(time) ? defaultMs : time).toISOString()
  }
  return { ...form, from: absolute(form.from, shown.fromMs), to: absolute(form.to, shown.toMs) }
}

/** @returns the first invalid field, as a message for the user; undefined: all are valid */
export const problemOf = ({ from, to, pid }: AuditForm): string | undefined => {
  if (pid !== '' && !/^\d+$/.test(pid)) return `The process id must be a number: ${pid}`
  if (Date.parse(from) >= Date.parse(to)) return 'The start time must be before the end time.'
  return undefined
}

/** @param form with absolute times: see resolvedForm() */
export const queryOf = ({ from, to, host, call, program, pid, target, failed }: AuditForm): AuditQuery => ({
  fromMs: Date.parse(from),
  toMs: Date.parse(to),
  ...(host !== '' && { host }),
  ...(call !== '' && { call }),
  ...(program !== '' && { program }),
  ...(pid !== '' && { pid: Number(pid) }),
  ...(target !== '' && { target }),
  ...(failed && { failed })
})

export const queryString = (query: AuditQuery): string =>
  new URLSearchParams(Object.entries(query).map(([name, value]): [string, string] => [name, String(value)])).toString()

/** The object of the call: its paths, else its remote address, else its local address, else its target process; marked if
 * its argument was rewritten. */
export const targetOf = (row: AuditRecord): string => {
  const target = pathText(row) ?? addressOf(row)
  return row.argument_changed ? `${target} (address rewritten during the call)` : target
}

const addressOf = (row: AuditRecord): string => {
  if (row.remote_address !== null) return endpointText(row.remote_address, row.remote_port)
  if (row.local_address !== null) return endpointText(row.local_address, row.local_port)
  return row.target_pid === null ? '' : `process ${row.target_pid}`
}

/** The errno's name, else the returned value; '' without a result. */
export const resultOf = ({ errno, ret }: AuditRecord): string => errno ?? (ret === null ? '' : String(ret))
