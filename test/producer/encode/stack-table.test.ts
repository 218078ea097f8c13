import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StackTable } from '../../../producer/encode/stack-table.ts'
import type { Symbolizer } from '../../../producer/go/symbolizer.ts'
import { RawEvents } from '../../../producer/source/raw-event.ts'
import type { Stack } from '../../../wire/types.ts'
import { rawBuffer, rawEvent } from '../../support/raw-events.ts'

const place = (go_function: string | null): Stack => ({ go_function, go_file: null, go_line: 0 })
const places = new Map([1n, 2n, 3n].map((first) => [Number(first), place(`main.f${first % 2n}`)]))
places.set(3, places.get(1) as Stack)
places.set(4, place(null))

/** Knows stacks by their first address, and counts how often it is asked. */
class CountingSymbolizer implements Symbolizer {
  asked = 0
  programStarted(): void {}
  resolve(_pid: number, _startNs: bigint, [first = 0]: readonly number[]): Stack | undefined {
    this.asked++
    return places.get(first)
  }
}

const stackOf = (...stack: bigint[]): RawEvents => new RawEvents(rawBuffer([rawEvent({ stack, path: '/odd' })]))

test('a stack is asked for once for each program, and places are rows once in a batch', () => {
  const symbolizer = new CountingSymbolizer()
  const table = new StackTable(symbolizer)
  const rows: Stack[] = []
  const indexes = [stackOf(1n, 7n), stackOf(2n), stackOf(3n), stackOf(1n, 7n)].map((raw) =>
    table.indexOf(raw, 0, 1, 1, rows)
  )
  assert.deepEqual(indexes, [0, 1, 0, 0])
  assert.deepEqual(rows, [places.get(1), places.get(2)])
  assert.equal(symbolizer.asked, 3)
  table.indexOf(stackOf(1n, 7n), 0, 2, 1, rows)
  assert.equal(symbolizer.asked, 4)
  const next: Stack[] = []
  assert.equal(table.indexOf(stackOf(2n), 0, 1, 2, next), 0)
  assert.deepEqual(next, [places.get(2)])
})

test('what is not known yet is asked for again, what the program does not tell is not', () => {
  const symbolizer = new CountingSymbolizer()
  const table = new StackTable(symbolizer)
  for (const first of [9n, 9n, 4n, 4n]) assert.equal(table.indexOf(stackOf(first), 0, 1, 1, []), -1)
  assert.equal(symbolizer.asked, 3)
})

test('without anybody who knows no stack is told', () => {
  assert.equal(new StackTable().indexOf(stackOf(1n), 0, 1, 1, []), -1)
})
