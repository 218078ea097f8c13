import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as audit from '../../../../../consumer/panel/web/state/audit-query.ts'
import { emptyForm } from '../../../../../consumer/panel/web/state/view.ts'
import { samples } from '../../../../support/records.ts'

const shown = { fromMs: Date.parse('2026-01-31T12:00:00Z'), toMs: Date.parse('2026-01-31T12:05:00Z') }

test('times that are left out are those of the charts, and exact from then on', () => {
  const form = audit.resolvedForm({ ...emptyForm, to: '2026-01-31T12:01:00Z' }, shown)
  assert.deepEqual([form.from, form.to], ['2026-01-31T12:00:00.000Z', '2026-01-31T12:01:00.000Z'])
  assert.deepEqual(audit.resolvedForm(form, { fromMs: 0, toMs: 1 }), form)
})

test('only what was filled in is asked for', () => {
  const form = audit.resolvedForm({ ...emptyForm, call: 'connect', pid: '12', failed: true }, shown)
  const query = audit.queryOf(form)
  assert.deepEqual(query, { ...shown, call: 'connect', pid: 12, failed: true })
  assert.equal(audit.queryString(query), `fromMs=${shown.fromMs}&toMs=${shown.toMs}&call=connect&pid=12&failed=true`)
})

test('fields that contradict themselves are told before anything is asked', () => {
  const form = audit.resolvedForm(emptyForm, shown)
  assert.equal(audit.problemOf(form), undefined)
  assert.match(audit.problemOf({ ...form, pid: 'abc' }) ?? '', /must be a number: abc/)
  assert.match(audit.problemOf({ ...form, to: form.from }) ?? '', /begin before it ends/)
})

test('a row is about its paths, else its addresses, else its target', () => {
  const row = samples.AuditRecord
  const bare = { ...row, remote_address: null, local_address: null }
  assert.equal(audit.aboutOf(row), '203.0.113.7:443')
  assert.equal(audit.aboutOf({ ...row, remote_address: '2001:db8::7' }), '[2001:db8::7]:443')
  assert.equal(audit.aboutOf({ ...row, remote_address: null }), '10.0.0.5:40000')
  assert.equal(audit.aboutOf({ ...row, path: '/a', path_to: '/b' }), '/a → /b')
  assert.equal(audit.aboutOf({ ...bare, target_pid: 7 }), 'process 7')
  assert.equal(audit.aboutOf(bare), '')
})

test('a failure has the name of its errno, a success what was returned', () => {
  assert.equal(audit.resultOf(samples.AuditRecord), 'ECONNREFUSED')
  assert.equal(audit.resultOf({ ...samples.AuditRecord, errno: null, ret: 7 }), '7')
})
