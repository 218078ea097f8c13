import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { classOfEvent, classOfSyscall, eventClasses, syscallClasses } from '../../wire/event-class.ts'

test('every call has the class that the BPF programs assign', () => {
  const source = readFileSync(join(import.meta.dirname, '../../bpf/calls.h'), 'utf8')
  const rows = [...source.matchAll(/\[RINGSIDE_CALL_(\w+)\]\s*=\s*RINGSIDE_CLASS_(\w+)/g)]
  assert.ok(rows.length > 20)
  for (const [, call, name] of rows)
    assert.equal(classOfSyscall((call ?? '').toLowerCase()), (name ?? '').toLowerCase())
})

test('every call of the schema has a class', () => {
  const schema = readFileSync(join(import.meta.dirname, '../../schemas/event_batch.avsc'), 'utf8')
  const symbols = /"name": "Syscall",\s*"symbols": (\[[^\]]*\])/.exec(schema)?.[1] ?? assert.fail('no Syscall enum')
  const calls = (JSON.parse(symbols) as string[]).filter((name) => name !== 'none')
  assert.deepEqual(Object.keys(syscallClasses).sort(), calls.sort())
})

test('exec, fork and exit have the class process', () => {
  for (const kind of ['exec', 'fork', 'exit'] as const) {
    assert.equal(classOfEvent({ kind, syscall: 'none' }), 'process')
  }
})

test('the outcome of a connect and a request of io_uring have the class of their call, and other calls the class io', () => {
  assert.equal(classOfEvent({ kind: 'connect_outcome', syscall: 'connect' }), 'network')
  assert.equal(classOfEvent({ kind: 'io_uring', syscall: 'openat' }), 'file')
  assert.equal(classOfEvent({ kind: 'syscall', syscall: 'other' }), 'io')
})

test('the classes are in the order of enum ringside_class', () => {
  assert.deepEqual(eventClasses, ['process', 'network', 'file', 'io'])
})
