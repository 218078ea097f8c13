import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, it } from 'node:test'
import { indexOf } from '../../wire/log-linear.ts'
import { program } from './observe.ts'

/** Buckets of bpf/log_linear.h, compiled for this machine. */
const bucketsInKernel = (values: readonly bigint[]): number[] => {
  const text = execFileSync(program('buckets'), { input: values.join('\n'), maxBuffer: 1 << 28 })
  return text.toString().trimEnd().split('\n').map(Number)
}

/** Every small value, the edges of every bucket, and the values next to them. */
const edges = (): bigint[] => {
  const values = Array.from({ length: 5000 }, (_, index) => BigInt(index + 1))
  for (let octave = 5n; octave < 53n; octave++) {
    for (let part = 0n; part < 32n; part++) {
      const edge = (32n + part) << (octave - 5n)
      values.push(edge - 1n, edge, edge + 1n)
    }
  }
  return values.filter((value) => value > 0n && value < 2n ** 53n)
}

describe('buckets in the kernel', { skip: process.platform !== 'linux' }, () => {
  it("are the buckets of the rollups' sketches", () => {
    const values = edges()
    assert.deepEqual(
      bucketsInKernel(values),
      values.map((value) => indexOf(Number(value)))
    )
  })

  it('end at the last bucket of a sketch', () => {
    const last = indexOf(2 ** 60)
    assert.deepEqual(bucketsInKernel([2n ** 53n - 1n, 2n ** 53n, 2n ** 60n, 2n ** 64n - 1n]), [last, last, last, last])
  })
})
