import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PclnTable } from '../../../producer/go/pclntab.ts'
import { framesOf } from '../../../producer/go/stack-frames.ts'

/** Has a function at every address, whose line is the address; those below 100 have no frame. */
const table = {
  framesAt: (address: number) => [{ function: 'main.f', file: '/x.go', line: address }],
  isFrameless: (address: number) => address < 100
} as unknown as PclnTable

const lines = (addresses: readonly number[], bias: number): number[] =>
  framesOf(table, addresses, bias).map(({ line }) => line)

test('addresses are looked up before the return address, relative to where the process was loaded', () => {
  assert.deepEqual(lines([1011, 1021, 1031], 1000), [10, 20, 30])
})

test('the word at the stack pointer is used only when the innermost function has no frame', () => {
  assert.deepEqual(lines([501, 601, 701], 0), [500, 700])
  assert.deepEqual(lines([51, 601, 701], 0), [50, 600, 700])
})
