import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { localKafkaMissing } from '../../support/kafka.ts'
import { temporaryDirectory } from '../../support/ringside.ts'

const ringside = join(import.meta.dirname, '../../../cli/ringside')
const recording = join(import.meta.dirname, '../../../examples/recordings/known-calls.rec')

/** Runs a verb with an output on a disk that is full. */
const runInto = (output: 'stdout' | 'stderr', ...args: string[]) => {
  const full = openSync('/dev/full', 'w')
  try {
    const stdio = output === 'stdout' ? (['ignore', full, 'pipe'] as const) : (['ignore', 'pipe', full] as const)
    return spawnSync(ringside, args, {
      stdio: [...stdio],
      encoding: 'utf8',
      env: { ...process.env, RINGSIDE_BROKERS: '' }
    })
  } finally {
    closeSync(full)
  }
}

test('an output that cannot be written is an error, and said once', () => {
  const { status, stderr } = runInto('stdout', 'up', '--print-config')
  assert.match(stderr, /^ringside: cannot write to stdout: ENOSPC.*; the output is incomplete\n$/)
  assert.equal(status, 74)
})

test('a reader that closes the pipe ends the work without an error', () => {
  const { status, stderr } = spawnSync('sh', ['-c', `'${ringside}' up --print-config | head -1`], { encoding: 'utf8' })
  assert.deepEqual([status, stderr], [0, ''])
})

test('progress and errors that cannot be written change nothing', async (t) => {
  assert.equal(runInto('stderr', 'run', 'nonsense').status, 64)
  // It says that it starts Kafka, and some time later that the port is in use.
  const taken = createServer().listen(0, '127.0.0.1')
  t.after(() => taken.close())
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  const stateDir = temporaryDirectory(t, 'full')
  const up = ['up', '--kafka-port', String(port), '--state-dir', stateDir, '--source', recording]
  assert.equal(runInto('stderr', ...up).status, (await localKafkaMissing()) === false ? 78 : 71)
})
