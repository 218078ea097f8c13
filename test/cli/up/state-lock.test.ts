import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { lockState } from '../../../cli/up/state-lock.ts'
import { temporaryDirectory } from '../../support/ringside.ts'

const module = join(import.meta.dirname, '../../../cli/up/state-lock.ts')

test('a second up on a state folder is refused, and the error names the first', (t) => {
  const dir = join(temporaryDirectory(t, 'lock'), 'state')
  const lock = lockState(dir)
  assert.throws(() => lockState(dir), { code: 'UNAVAILABLE', message: new RegExp(`pid ${process.pid}.*--state-dir`) })
  lock.release(true)
  const next = lockState(dir)
  assert.equal(next.previousWasCutOff, false)
  next.release(true)
})

test('a killed up leaves no lock, and the next one knows that it was cut off', { timeout: 30_000 }, async (t) => {
  const dir = join(temporaryDirectory(t, 'lock'), 'state')
  const script = `import { lockState } from ${JSON.stringify(module)}; lockState(${JSON.stringify(dir)}); console.log('held'); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  assert.throws(() => lockState(dir), { code: 'UNAVAILABLE' })
  child.kill('SIGKILL')
  await once(child, 'close')
  const lock = lockState(dir)
  assert.equal(lock.previousWasCutOff, true)
  lock.release(true)
})

test('a folder that cannot be created is refused, and the error says what to do', (t) => {
  const file = join(temporaryDirectory(t, 'lock'), 'file')
  writeFileSync(file, '')
  assert.throws(() => lockState(join(file, 'state')), {
    code: 'IO',
    message: /cannot write to state folder .*file\/state.*ENOTDIR.*--state-dir/
  })
})
