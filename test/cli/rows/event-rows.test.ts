import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { audit, events } from '../../../cli/rows/event-rows.ts'
import { type AuditRow, auditRow, type EventRow, eventRow } from '../../../wire/row.ts'
import type { Event } from '../../../wire/types.ts'
import { samples } from '../../support/records.ts'

const batch = samples.EventBatch
const rowOf = (given: Partial<EventRow>): EventRow => ({ ...eventRow(batch, batch.events[0] as Event), ...given })

const detailsOf = (given: Partial<EventRow>): string => {
  const row = rowOf({
    ...{ local_address: null, local_port: null, remote_address: null, remote_port: null, family: null },
    ...{ argument_changed: false, go_function: null, fd: null },
    ...given
  })
  return events.columns.at(-1)?.cell(row) ?? ''
}

/** Rows of the page's tables: field and type, in order. */
const documented = (): [string, string][] => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/events.md'), 'utf8')
  return [...page.matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)].map(([, field, type]) => [field as string, type as string])
}

test('every field of a row is documented, and every documented field exists', () => {
  const fields = documented().map(([field]) => field)
  assert.deepEqual(fields, audit.fields)
  assert.deepEqual(fields.slice(0, events.fields.length), events.fields)
  assert.deepEqual(Object.keys(auditRow(samples.AuditRecord)).toSorted(), audit.fields.toSorted())
})

test('every value of a row has the type that is documented', () => {
  const rows: AuditRow[] = [
    auditRow(samples.AuditRecord),
    ...batch.events.map((event) => ({ ...auditRow(samples.AuditRecord), ...eventRow(batch, event) }))
  ]
  for (const row of rows) {
    for (const [field, type] of documented()) {
      const value = row[field as keyof AuditRow]
      assert.ok(type.split(' or ').includes(value === null ? 'null' : typeof value), `${field}: ${value} is no ${type}`)
    }
  }
})

test('details have what was opened, how, and the name that it was asked for by', () => {
  const open = { path: '/etc/shadow', path_given: 'innocent', flags: 'O_RDONLY|O_CLOEXEC' }
  assert.equal(detailsOf(open), '/etc/shadow (as innocent) O_RDONLY|O_CLOEXEC')
  assert.equal(detailsOf({ path: '/memfd:x', path_deleted: true }), '/memfd:x (deleted)')
  assert.equal(detailsOf({ path: '…/d/rs', path_truncated: true, path_to: '/new' }), '…/d/rs → /new')
})

test('details have addresses, and say that the argument was rewritten', () => {
  const ends = { local_address: '10.0.0.1', local_port: 40, remote_address: '::1', remote_port: 53, family: 'ipv6' }
  assert.equal(detailsOf({ ...ends, protocol: 'udp' }), 'udp 10.0.0.1:40 → [::1]:53')
  const rewritten = { family: 'unix', path: '/run/socket', argument_changed: true }
  assert.equal(detailsOf(rewritten), '/run/socket (address rewritten during the call)')
})

test('details have the kind of a socket without an address, and the request and target of ptrace', () => {
  assert.equal(detailsOf({ family: 'netlink', socket_type: 'raw', protocol: 'route', fd: 3 }), 'netlink raw route')
  assert.equal(detailsOf({ family: 'packet', socket_type: 'raw', protocol: null }), 'packet raw')
  assert.equal(detailsOf({ request: 'PTRACE_ATTACH', target_pid: 7 }), 'PTRACE_ATTACH pid 7')
  assert.equal(detailsOf({ fd: 3, go_function: 'main.run' }), 'fd 3 in main.run')
})
