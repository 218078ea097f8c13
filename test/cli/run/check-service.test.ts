import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkServices } from '../../../cli/run/check-service.ts'
import { RingsideError } from '../../../runtime/errors.ts'
import { loadConfig } from '../../../runtime/load-config.ts'
import { startRingside, temporaryDirectory } from '../../support/ringside.ts'

const recording = join(import.meta.dirname, '../../../examples/recordings/known-calls.rec')

test('what is right passes, for every service', async () => {
  const config = loadConfig({}, undefined, {})
  await checkServices(['edge', 'rollups', 'alerts', 'audit', 'panel', './handler.ts'], config, { source: recording })
})

test('every problem of every service is reported at once', async (t) => {
  const folder = temporaryDirectory(t, 'rules')
  writeFileSync(join(folder, 'wrong.yaml'), 'id: wrong\n')
  const edge = { calls: { conect: 'off' as const }, cgroups: ['/no/such/cgroup'] }
  const config = loadConfig({ edge, alerts: { rulesDir: folder } }, undefined, {})
  await assert.rejects(checkServices(['edge', 'alerts'], config, { source: undefined }), (error) => {
    assert.ok(error instanceof RingsideError)
    assert.equal(error.code, 'CONFIG')
    assert.match(error.message, /edge\.calls: "conect" \(similar: connect/)
    assert.match(error.message, /no cgroup "\/no\/such\/cgroup"|needs cgroup v2/)
    assert.match(error.message, /wrong\.yaml: /)
    return true
  })
})

test('`up` with a wrong rule starts nothing', async (t) => {
  const folder = temporaryDirectory(t, 'up')
  const rulesDir = join(folder, 'rules')
  mkdirSync(rulesDir)
  writeFileSync(join(rulesDir, 'wrong.yaml'), 'id: wrong\n__proto__: {}\n')
  const config = join(folder, 'config.yaml')
  writeFileSync(config, `alerts: {rulesDir: ${rulesDir}}\n`)
  const stateDir = join(folder, 'state')
  const up = startRingside(['up', '--config', config, '--state-dir', stateDir, '--source', recording])
  const { code, stderr } = await up.finished
  assert.equal(code, 65, stderr)
  assert.match(stderr, /^ringside: the rules in .* have \d+ problem\(s\):\n {2}wrong\.yaml: /)
  assert.match(stderr, /Unrecognized key: "__proto__"/)
  assert.equal(existsSync(stateDir), false)
})

test('a file that is no recording is refused before anything starts', async () => {
  const config = loadConfig({}, undefined, {})
  await assert.rejects(checkServices(['edge'], config, { source: '/dev/null' }), { code: 'DATA' })
})
