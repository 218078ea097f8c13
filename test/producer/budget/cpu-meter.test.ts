import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cpuUseBetween, readCpu } from '../../../producer/budget/cpu-meter.ts'

test('CPU use is a share of one core, of the process and of the BPF programs where the kernel measures them', () => {
  const from = { atMs: 1000, processMicroseconds: 5000, programNanoseconds: 1_000_000 }
  const to = { atMs: 3000, processMicroseconds: 65_000, programNanoseconds: 41_000_000 }
  assert.deepEqual(cpuUseBetween(from, to), { process: 0.03, programs: 0.02 })
  assert.equal(cpuUseBetween({ ...from, programNanoseconds: undefined }, to).programs, undefined)
})

test('a busy process uses its core', () => {
  const from = readCpu(() => undefined)
  while (performance.now() - from.atMs < 100) Math.sqrt(2)
  const { process } = cpuUseBetween(
    from,
    readCpu(() => undefined)
  )
  assert.ok(process > 0 && process < 3, `${process}`)
})
