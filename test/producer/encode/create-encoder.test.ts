import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createEncoder } from '../../../producer/encode/create-encoder.ts'
import type { EncoderOptions } from '../../../producer/encode/encoder.ts'
import { absentProc } from '../../../producer/proc.ts'
import type { Log } from '../../../runtime/log.ts'

const options: EncoderOptions = {
  buffer: new Uint8Array(4096),
  limits: { events: 10, bytes: 1000 },
  proc: absentProc,
  callName: () => undefined
}

const named = (codec: 'native' | 'avsc'): { name: string; warnings: string[] } => {
  const warnings: string[] = []
  const log = { warn: (text: string) => warnings.push(text) } as unknown as Log
  return { name: createEncoder(codec, options, log).constructor.name, warnings }
}

test('the native encoder is chosen when it is built, the avsc one when it is configured', () => {
  assert.deepEqual(named('native'), { name: 'CppEncoder', warnings: [] })
  assert.deepEqual(named('avsc'), { name: 'AvscEncoder', warnings: [] })
})
