import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as audit from '../../../../../consumer/panel/web/state/audit-query.ts'
import { emptyForm } from '../../../../../consumer/panel/web/state/view.ts'
import { samples } from '../../../../support/records.ts'

const shown = { fromMs: Date.parse('2026-01-31T12:00:00Z'), toMs: Date.parse('2026-01-31T12:05:00Z') }

test('empty times become the time range of the charts, and stay absolute', () => {
  const form = audit.resolvedForm({ ...emptyForm, to: '2026-01-31T12:01:00Z' }, shown)
  assert.deepEqual([form.from, form.to], ['2026-01-31T12:00:00.000Z', '2026-01-31T12:01:00.000Z'])
  assert.deepEqual(audit.resolvedForm(form, { fromMs: 0, toMs: 1 }), form)
})

test('the query has only the fields that are filled in', () => {
  const form = audit.resolvedForm({ ...emptyForm, call: 'connect', pid: '12', failed: true }, shown)
  const query = audit.queryOf(form)
  assert.deepEqual(query, { ...shown, call: 'connect', pid: 12, failed: true })
  assert.equal(audit.queryString(query), `fromMs=${shown.fromMs}&toMs=${shown.toMs}&call=connect&pid=12&failed=true`)
})

test('invalid fields are reported before the search', () => {
  const form = audit.resolvedForm(emptyForm, shown)
  assert.equal(audit.problemOf(form), undefined)
  assert.match(audit.problemOf({ ...form, pid: 'abc' }) ?? '', /must be a number: abc/)
  assert.match(audit.problemOf({ ...form, to: form.from }) ?? '', /before the end time/)
})

test('the target of a row is its paths, else its addresses, else its target process', () => {
  const row = { ...samples.AuditRecord, argument_changed: false }
  const bare = { ...row, remote_address: null, local_address: null }
  assert.equal(audit.targetOf(row), '203.0.113.7:443')
  assert.equal(audit.targetOf({ ...row, remote_address: '2001:db8::7' }), '[2001:db8::7]:443')
  assert.equal(audit.targetOf({ ...row, remote_address: null }), '10.0.0.5:40000')
  assert.equal(audit.targetOf({ ...row, path: '/a', path_to: '/b' }), '/a → /b')
  assert.equal(audit.targetOf({ ...bare, target_pid: 7 }), 'process 7')
  assert.equal(audit.targetOf(bare), '')
  const rewritten = '203.0.113.7:443 (address rewritten during the call)'
  assert.equal(audit.targetOf({ ...row, argument_changed: true }), rewritten)
})

test('the result is the name of the errno, or the returned value', () => {
  assert.equal(audit.resultOf(samples.AuditRecord), 'ECONNREFUSED')
  assert.equal(audit.resultOf({ ...samples.AuditRecord, errno: null, ret: 7 }), '7')
})
