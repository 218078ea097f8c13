// The audit search's fields → what is asked of the service, and its rows → what the table shows. Pure.
import type { AuditRecord } from '../../../../wire/types.ts'
import type { AuditQuery } from '../../protocol.ts'
import type { AuditForm } from './view.ts'

/** Fields without a time are given the range that the charts show; all times become exact, so that a link stays true. */
export const resolvedForm = (form: AuditForm, shown: { fromMs: number; toMs: number }): AuditForm => {
  const exact = (text: string, otherwiseMs: number): string => {
    const time = Date.parse(text)
    return new Date(Number.isNaN(time) ? otherwiseMs : time).toISOString()
  }
  return { ...form, from: exact(form.from, shown.fromMs), to: exact(form.to, shown.toMs) }
}

/** @returns what is wrong with the fields, for a person; undefined: nothing */
export const problemOf = ({ from, to, pid }: AuditForm): string | undefined => {
  if (pid !== '' && !/^\d+$/.test(pid)) return `The process id must be a number: ${pid}`
  if (Date.parse(from) >= Date.parse(to)) return 'The time must begin before it ends.'
  return undefined
}

/** @param form with exact times: see resolvedForm() */
export const queryOf = ({ from, to, host, call, program, pid, about, failed }: AuditForm): AuditQuery => ({
  fromMs: Date.parse(from),
  toMs: Date.parse(to),
  ...(host !== '' && { host }),
  ...(call !== '' && { call }),
  ...(program !== '' && { program }),
  ...(pid !== '' && { pid: Number(pid) }),
  ...(about !== '' && { about }),
  ...(failed && { failed })
})

export const queryString = (query: AuditQuery): string =>
  new URLSearchParams(Object.entries(query).map(([name, value]): [string, string] => [name, String(value)])).toString()

const endpoint = (address: string, port: number | null): string => {
  if (port === null) return address
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

/** What the call was about: its path or paths, else its remote address, else what it has of its own. */
export const aboutOf = (row: AuditRecord): string => {
  if (row.path !== null) return row.path_to === null ? row.path : `${row.path} → ${row.path_to}`
  if (row.remote_address !== null) return endpoint(row.remote_address, row.remote_port)
  if (row.local_address !== null) return endpoint(row.local_address, row.local_port)
  return row.target_pid === null ? '' : `process ${row.target_pid}`
}

/** An outcome: the errno's name, else what was returned. */
export const resultOf = ({ errno, ret }: AuditRecord): string => errno ?? String(ret)
