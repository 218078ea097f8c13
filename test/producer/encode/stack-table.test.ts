import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StackTable } from '../../../producer/encode/stack-table.ts'
import type { Program, Symbolizer } from '../../../producer/go/symbolizer.ts'
import { RawEvents } from '../../../producer/source/raw-events.ts'
import type { Stack } from '../../../wire/types.ts'
import { rawBuffer, rawEvent } from '../../support/raw-events.ts'

const location = (go_function: string | null): Stack => ({ go_function, go_file: null, go_line: 0 })
const locations = new Map([1n, 2n, 3n].map((first) => [Number(first), location(`main.f${first % 2n}`)]))
locations.set(3, locations.get(1) as Stack)
locations.set(4, location(null))

/** Resolves stacks by their first address, and counts the calls. */
class CountingSymbolizer implements Symbolizer {
  resolved = 0
  programStarted(): void {}
  resolve(_program: Program, [first = 0]: readonly number[]): Stack | undefined {
    this.resolved++
    return locations.get(first)
  }
}

const program = (number: number) => ({ number, pid: 100, startNs: 1n, execId: 1 })
const stackOf = (...stack: bigint[]): RawEvents => new RawEvents(rawBuffer([rawEvent({ stack, path: '/odd' })]))

test('a stack is resolved once per program, and a location is one row of a batch', () => {
  const symbolizer = new CountingSymbolizer()
  const table = new StackTable(symbolizer)
  const rows: Stack[] = []
  const indexes = [stackOf(1n, 7n), stackOf(2n), stackOf(3n), stackOf(1n, 7n)].map((raw) =>
    table.indexOf(raw, 0, program(1), 1, rows)
  )
  assert.deepEqual(indexes, [0, 1, 0, 0])
  assert.deepEqual(rows, [locations.get(1), locations.get(2)])
  assert.equal(symbolizer.resolved, 3)
  table.indexOf(stackOf(1n, 7n), 0, program(2), 1, rows)
  assert.equal(symbolizer.resolved, 4)
  const next: Stack[] = []
  assert.equal(table.indexOf(stackOf(2n), 0, program(1), 2, next), 0)
  assert.deepEqual(next, [locations.get(2)])
})

test('a stack of an unknown program is resolved again, one without a function is not', () => {
  const symbolizer = new CountingSymbolizer()
  const table = new StackTable(symbolizer)
  for (const first of [9n, 9n, 4n, 4n]) assert.equal(table.indexOf(stackOf(first), 0, program(1), 1, []), -1)
  assert.equal(symbolizer.resolved, 3)
})

test('without a symbolizer no event has a stack', () => {
  assert.equal(new StackTable().indexOf(stackOf(1n), 0, program(1), 1, []), -1)
})
