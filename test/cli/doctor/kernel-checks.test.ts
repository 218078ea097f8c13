import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kernelFinding, programsFinding } from '../../../cli/doctor/kernel-checks.ts'

test('the programs need Linux 5.14, and were tested from 5.15 on', () => {
  const releases = ['4.19.0', '5.10.0-28-amd64', '5.13.19', '5.14.0-503.el9.x86_64', '5.15.0-25-generic', '6.1.0']
  assert.deepEqual(
    releases.map((release) => kernelFinding(release).status),
    ['fail', 'fail', 'fail', 'warn', 'ok', 'ok']
  )
  assert.match(kernelFinding('5.10.0').detail, /need Linux 5\.14/)
  assert.match(kernelFinding('5.14.0').remedy ?? '', /boot Linux 5\.15 or newer/)
})

test('a kernel that cannot show everything is a warning that names what is not observed', () => {
  assert.deepEqual(programsFinding('loaded', []), { status: 'ok', detail: 'loaded' })
  const finding = programsFinding('loaded', ['not observed: requests to io_uring'])
  assert.deepEqual([finding.status, finding.detail], ['warn', 'loaded; not observed: requests to io_uring'])
})
