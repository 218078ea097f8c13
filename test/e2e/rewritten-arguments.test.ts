// The whole path on a live kernel and a real Kafka, against a program that rewrites the arguments of its calls while they
// block, under a name made for terminals.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { localKafkaMissing } from '../support/kafka.ts'
import { kernelTests } from '../support/kernel.ts'
import { eventually, runRingside, startUp, tailRows, temporaryDirectory } from '../support/ringside.ts'

const connects = 25

test('arguments that are rewritten while their call blocks hide nothing from events, audit log and alerts', {
  skip: kernelTests.skip || (await localKafkaMissing()),
  timeout: 300_000
}, async (t) => {
  const directory = temporaryDirectory(t, 'rewritten')
  const program = join(directory, 'rewriter')
  const folder = join(directory, 'own')
  mkdirSync(folder)
  const source = join(import.meta.dirname, 'programs/rewritten_arguments.c')
  execFileSync('gcc', ['-O1', '-Wall', '-pthread', '-o', program, source])
  const env = { RINGSIDE_STATE_DIR: join(directory, 'state') }
  await startUp(t, env)
  const pid = Number(execFileSync(program, [folder], { encoding: 'utf8' }))
  const mine = ['--since', '10m', '--where', `pid == ${pid} && exe == "${program}"`]
  const destinations = Array.from({ length: connects }, (_, i) => `203.0.113.${10 + i}:4444`)

  for (const topic of ['events', 'audit'] as const) {
    await t.test(`${topic} have every destination, and not the address that was written over it`, async () => {
      const rows = await eventually(`all connects in ${topic}`, 60, async () => {
        const found = await tailRows(topic, mine, env)
        return found.some((row) => row['kind'] === 'exit') ? found : undefined
      })
      const calls = rows.filter((row) => row['syscall'] === 'connect' && row['remote_address'] !== '127.0.0.1')
      assert.deepEqual(calls.map((row) => `${row['remote_address']}:${row['remote_port']}`).toSorted(), destinations)
      for (const row of calls) assert.deepEqual([row['ret'], row['verdict'], row['address_given']], [0, 'ok', false])
      const rewritten = rows.filter((row) => row['remote_port'] === 80)
      assert.deepEqual(rewritten, [])
    })
  }

  await t.test('the open has the file that it opened, with the argument beside it', async () => {
    const rows = await tailRows('events', mine, env)
    const opens = rows.filter((row) => row['syscall'] === 'openat' && row['path'] === join(folder, 'queue'))
    const flags = (row: Record<string, unknown>): unknown[] => [row['path_given'], row['path_opened'], row['flags']]
    assert.deepEqual(opens.map(flags).toSorted(), [
      ['/nowhere/at-all', true, 'O_RDONLY'],
      ['queue', true, 'O_WRONLY']
    ])
  })

  await t.test('the burst raises its alert', async () => {
    const where = `rule == "connect_external_burst" && exe == "${program}"`
    const [alert] = await eventually('the alert', 60, async () => {
      const rows = await tailRows('alerts', ['--since', '10m', '--where', where], env)
      return rows.length > 0 ? rows : undefined
    })
    assert.equal(alert?.['pid'], pid)
  })

  await t.test('the name is whole in the rows, and nothing of it acts on a terminal', async () => {
    const [row] = await tailRows('audit', [...mine, '--max', '1'], env)
    const rows = await tailRows('audit', mine, env)
    assert.ok(row !== undefined && rows.some(({ comm }) => comm === 'a\n\u001b[31mb\u0007'))
    for (const topic of ['events', 'audit', 'alerts']) {
      const text = await runRingside(['tail', topic, '--since', '10m', '--format', 'table'], env)
      assert.match(text, /a\\x0a\\x1b\[31/, topic)
      assert.doesNotMatch(text.replaceAll('\n', ''), /\p{Cc}/u, topic)
    }
  })
})
