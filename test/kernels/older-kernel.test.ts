// The programs under a kernel older than this system's: RINGSIDE_TEST_KERNEL=6.1 (Debian 12's own) or 5.15 (Ubuntu
// 22.04's first). Runs the tests of the programs in there, a boot for each file, so that one cannot spoil the next.
import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { chosenKernel, type GuestOutcome, runUnderKernel } from './machine.ts'

const root = join(import.meta.dirname, '..', '..')
const { kernel, skip } = chosenKernel()
const limitMs = 15 * 60_000
const timeout = limitMs + 60_000
const files = globSync('test/bpf/*.test.ts', { cwd: root }).toSorted()

const assertPassed = ({ code, output, console }: GuestOutcome): void =>
  assert.equal(code, 0, `${output.slice(0, 4000)}\n${console}`)

/** What node --test tells of each test, without the errors of those that failed. */
const results = (output: string): string => (output.split('ℹ tests')[0] ?? '').trimEnd()

describe(`under Linux ${kernel}`, { skip }, () => {
  let attached = false

  it('the programs are loaded and attached', { timeout }, async (t) => {
    const outcome = await runUnderKernel(kernel, 'node test/kernels/attach.ts', limitMs)
    assertPassed(outcome)
    attached = true
    t.diagnostic(outcome.output.trim())
  })

  for (const file of files) {
    it(`${file} passes`, { timeout }, async (t) => {
      assert.ok(attached, 'the programs could not be attached')
      const outcome = await runUnderKernel(kernel, `node --test ${file}`, limitMs)
      assertPassed(outcome)
      t.diagnostic(results(outcome.output))
    })
  }
})
