import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '../support/ringside.ts'

const runner = join(import.meta.dirname, '../../scripts/test.ts')

const passing = `
import { describe, it, test } from 'node:test'
test('passes', (t) => t.diagnostic('tests of bread'))
describe('a suite', () => { it('is counted', () => {}) })
`
const failing = `
import { test } from 'node:test'
test('fails', () => { throw new Error('as it should') })
test('is left out', { skip: true }, () => {})
`
const crashing = 'process.exit(7)'

/** node's own runner sets this for the files that it runs, in which none may run others. */
const { NODE_TEST_CONTEXT: _, ...env } = process.env

test('results of several files have one total at the end, and a failure or a crash fails the run', (t) => {
  const folder = temporaryDirectory(t, 'runner')
  const run = (texts: readonly string[]) => {
    const files = texts.map((text, i) => {
      const file = join(folder, `${texts.length}-${i}.test.mjs`)
      writeFileSync(file, text)
      return file
    })
    return spawnSync(process.execPath, [runner, '--quick', ...files], { encoding: 'utf8', env })
  }
  const whole = run([passing])
  assert.equal(whole.status, 0, whole.stdout)
  assert.match(whole.stdout, /ℹ tests of bread/)
  assert.match(whole.stderr, /NOT TESTED HERE: the kernel, Kafka and the browser/)
  const mixed = run([passing, failing, crashing])
  assert.equal(mixed.status, 1)
  const closing = 'ℹ tests 5\nℹ suites 1\nℹ pass 2\nℹ fail 2\nℹ cancelled 0\nℹ skipped 1\nℹ todo 0\nℹ duration_ms '
  assert.ok(mixed.stdout.includes(closing), mixed.stdout)
  assert.equal(mixed.stdout.match(/^ℹ tests \d/gm)?.length, 1)
  assert.match(mixed.stdout.slice(mixed.stdout.indexOf(closing)), /failing tests:.*as it should/s)
})
