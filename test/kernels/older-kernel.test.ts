// Runs the tests of test/bpf under an older kernel: RINGSIDE_TEST_KERNEL=6.1 (of Debian 12) or 5.15 (the first of Ubuntu
// 22.04). Boots once per file, so that no file affects the next.
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

/** The result of each test as node --test prints it, without the errors of failed tests. */
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
