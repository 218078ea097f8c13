// The search in the audit log: a form, the matching rows, and the number of rows scanned.
import { useEffect, useState } from 'preact/hooks'
import { formatCount } from '../../../../runtime/format-number.ts'
import { printable } from '../../../../runtime/printable.ts'
import type { AuditRecord } from '../../../../wire/types.ts'
import type { AuditAnswer } from '../../protocol.ts'
import { formatDateTime, formatDuration } from '../format.ts'
import { resultOf, targetOf } from '../state/audit-query.ts'
import { useController } from '../state/use-controller.ts'
import { type AuditForm, emptyForm } from '../state/view.ts'

/** In the browser's time zone, as a field of type datetime-local requires. */
const localTime = (text: string): string => {
  const time = Date.parse(text)
  return Number.isNaN(time) ? '' : formatDateTime(time).replace(' ', 'T')
}

/** A browser shows suggested values as they are. */
const isPrintable = (name: string): boolean => printable(name) === name

const Row = ({ row }: { readonly row: AuditRecord }) => (
  <tr tabIndex={-1} data-row>
    <td class="time">
      {formatDateTime(row.time / 1000)}.{String(Math.floor((row.time / 1000) % 1000)).padStart(3, '0')}
    </td>
    <td>{row.host}</td>
    <td title={row.exe ?? row.comm}>
      {row.comm} <span class="dim">{row.pid}</span>
    </td>
    <td>{row.syscall ?? row.kind}</td>
    <td class={row.errno === null ? 'number' : 'number bad'}>{resultOf(row)}</td>
    <td class="number">{row.duration_ns > 0 ? formatDuration(row.duration_ns) : ''}</td>
    <td class="target">{targetOf(row)}</td>
  </tr>
)

const columns = ['time', 'host', 'program', 'call', 'result', 'duration', 'target'] as const
const numberColumns: readonly string[] = ['result', 'duration']

const Answer = ({ answer: { rows, scanned, stopped } }: { readonly answer: AuditAnswer }) => (
  <>
    <p class={stopped === null ? 'dim' : 'warn'} data-testid="audit-summary">
      {formatCount(rows.length)} matching, {formatCount(scanned)} scanned
      {stopped !== null && `. The search is incomplete: ${stopped}`}
    </p>
    {rows.length === 0 ? (
      <p class="empty">
        No rows match. Extend the time range or clear fields. The log has rows of the times when{' '}
        <code>ringside run audit</code> was running.
      </p>
    ) : (
      <div class="scroll" data-rows>
        <table class="audit-rows">
          <thead>
            <tr>
              {columns.map((name) => (
                <th key={name} scope="col" class={numberColumns.includes(name) ? 'number' : undefined}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={`${row.host} ${row.boot} ${row.cpu} ${row.seq}`} row={row} />
            ))}
          </tbody>
        </table>
      </div>
    )}
  </>
)

const textFields = [
  ['host', 'host', 'all hosts'],
  ['call', 'call', 'all calls'],
  ['program', 'program', 'part of a name'],
  ['pid', 'process id', ''],
  ['target', 'target', 'part of a path or address']
] as const

export const AuditSearch = () => {
  const controller = useController()
  const { audit } = controller.view
  const [form, setForm] = useState<AuditForm>(audit ?? emptyForm)
  useEffect(() => setForm(audit ?? emptyForm), [audit])
  const search = (event: Event): void => {
    event.preventDefault()
    controller.searchAudit(form)
  }
  return (
    <section class="audit" data-testid="audit">
      <header>
        <h2>Audit log</h2>
        <p class="dim">process and network events, one row each; empty times select the time range of the charts</p>
      </header>
      <search>
        <form onSubmit={search}>
          {(['from', 'to'] as const).map((name) => (
            <label key={name} class="field">
              <span>{name}</span>
              <input
                type="datetime-local"
                step="1"
                value={localTime(form[name])}
                onChange={({ currentTarget }) => setForm({ ...form, [name]: currentTarget.value })}
              />
            </label>
          ))}
          {textFields.map(([name, title, hint]) => (
            <label key={name} class="field">
              <span>{title}</span>
              <input
                type="text"
                name={name}
                value={form[name]}
                placeholder={hint}
                autocomplete="off"
                spellcheck={false}
                list={name === 'host' || name === 'call' ? `audit-${name}s` : undefined}
                inputMode={name === 'pid' ? 'numeric' : undefined}
                onInput={({ currentTarget }) => setForm({ ...form, [name]: currentTarget.value.trim() })}
              />
            </label>
          ))}
          <label class="check">
            <input
              type="checkbox"
              checked={form.failed}
              onChange={({ currentTarget }) => setForm({ ...form, failed: currentTarget.checked })}
            />
            failed only
          </label>
          <button type="submit">Search</button>
          {audit !== null && (
            <button type="button" class="plain" onClick={() => controller.choose({ audit: null })}>
              Clear
            </button>
          )}
          <datalist id="audit-hosts">
            {controller.model.names.hosts.filter(isPrintable).map((host) => (
              <option key={host} value={host} />
            ))}
          </datalist>
          <datalist id="audit-calls">
            {controller.model.names.calls.filter(isPrintable).map((call) => (
              <option key={call} value={call} />
            ))}
          </datalist>
        </form>
      </search>
      <div aria-live="polite">
        {controller.audit?.is === 'searching' && <p class="empty">Searching …</p>}
        {controller.audit?.is === 'failed' && <p class="empty bad">{controller.audit.message}</p>}
        {controller.audit?.is === 'answered' && <Answer answer={controller.audit.answer} />}
      </div>
    </section>
  )
}
