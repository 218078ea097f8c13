// A Go developer's first use: `up --go-functions`, a program, and the functions that made its calls.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { buildGo, goMissing } from '../support/go.ts'
import { localKafkaMissing } from '../support/kafka.ts'
import { kernelTests } from '../support/kernel.ts'
import { eventually, latestRevisions, runRingside, startUp, tailRows, temporaryDirectory } from '../support/ringside.ts'

const folder = join(import.meta.dirname, '../producer/go/programs/calls')
const comm = 'rs-go-calls'
const method = 'main.(*server).read'

test('with --go-functions events, audit log, rollups and top have the function behind a call', {
  skip: kernelTests.skip || (await localKafkaMissing()) || goMissing,
  timeout: 300_000
}, async (t) => {
  const stateDir = join(temporaryDirectory(t, 'go'), 'state')
  const env = { RINGSIDE_STATE_DIR: stateDir }
  const path = buildGo(folder, comm, 'e2e')
  const up = await startUp(t, env, '--go-functions')

  const child = spawn(path, { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  const stdout = text(child.stdout)
  const { pid } = child
  const own = ['--since', '10m', '--where', `pid == ${pid}`]
  // Its calls have functions once the edge has read its executable, soon after its exec event.
  await eventually(
    'the exec event of the program',
    60,
    async () => (await tailRows('events', own, env)).some(({ kind }) => kind === 'exec') || undefined
  )
  await new Promise((resolve) => setTimeout(resolve, 2000))
  child.stdin.end('\n')
  await once(child, 'close')
  const expected = (await stdout)
    .trim()
    .split('\n')
    .map((line) => line.split('\t'))
  const ofMethod = expected.find(([, go]) => go === method)
  assert.ok(ofMethod !== undefined, JSON.stringify(expected))
  const [openedPath, , file, line] = ofMethod

  await t.test('events and the audit log name function, file and line', async () => {
    const opened = await eventually('the open of the method', 60, async () =>
      (await tailRows('events', own, env)).find((row) => row['path'] === openedPath)
    )
    assert.deepEqual([opened['go_function'], opened['go_file'], String(opened['go_line'])], [method, file, line])
    const dialled = await eventually('the connect in the audit log', 60, async () =>
      (await tailRows('audit', own, env)).find((row) => row['syscall'] === 'connect' && row['kind'] === 'syscall')
    )
    assert.equal(dialled['go_function'], 'main.main')
  })

  await t.test('rollups have a row of the function', async () => {
    const row = await eventually('a rollup by Go function', 60, async () => {
      const rows = await tailRows('rollups', ['--since', '10m', '--where', `go_function == "${method}"`], env)
      return latestRevisions(rows).find(({ complete }) => complete)
    })
    assert.deepEqual([row['by'], row['workload'], row['syscall'], row['count']], ['go_function', path, 'openat', 1])
  })

  await t.test('top groups by it', async () => {
    const options = ['--by', 'go_function', '--once', '--window', '5m', '--format', 'json', '--workload', path]
    const rows = (await runRingside(['top', ...options], env)).trim().split('\n')
    const functions = rows.map((row) => (JSON.parse(row) as Record<string, unknown>)['go_function'])
    assert.ok(functions.includes(method), functions.join())
  })

  await t.test('the run ends in order, and the log names the privilege that the edge kept', async () => {
    up.child.kill('SIGINT')
    const { code, stderr } = await up.finished
    assert.equal(code, 0, stderr)
    assert.match(readFileSync(join(stateDir, 'logs/edge.log'), 'utf8'), /no capability but CAP_SYS_PTRACE/)
  })
})
