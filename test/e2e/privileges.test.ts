// The user and privileges of an edge on a live kernel: no thread keeps a privilege, and the topic still has every call of
// a known workload.
import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { privilegesLeft } from '../../producer/privileges.ts'
import { startEdge, untilReady } from '../support/edge.ts'
import { createTopics, kafkaMissing, withKafka } from '../support/kafka.ts'
import { kernelTests, privateCode } from '../support/kernel.ts'
import {
  childrenOf,
  eventually,
  type Running,
  readOfProcess,
  startCommand,
  startRingside,
  tailRows,
  temporaryDirectory
} from '../support/ringside.ts'

const programs = join(import.meta.dirname, 'programs')
const launcher = join(import.meta.dirname, '../../cli/ringside')
const skip = kernelTests.skip || (await kafkaMissing())
const timeout = 180_000
const rounds = 100
const nobody = { uid: 65534, gid: 65534, noGroups: true, noBoundingSet: true, kept: 0n }

const statusesOf = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/task`).flatMap((thread) => readOfProcess(`${pid}/task/${thread}/status`) ?? [])

const leftTo = (pid: number, expected = nobody): string[] =>
  statusesOf(pid).flatMap((status) => privilegesLeft(status, expected))

interface Edge extends Running {
  readonly env: Record<string, string>
}

describe('the edge', { skip }, () => {
  const kafka = withKafka()

  const prepare = async (t: TestContext) => {
    const directory = temporaryDirectory(t, 'privileges')
    const { env: topics } = await createTopics(kafka, 'privileges')
    const env = { ...topics, RINGSIDE_STATE_DIR: join(directory, 'state') }
    const program = join(directory, 'known_calls')
    execFileSync('gcc', ['-O1', '-Wall', '-o', program, join(programs, 'known_calls.c')])
    const file = join(directory, 'file')
    writeFileSync(file, '')
    return { directory, env, program, file }
  }

  const start = async (t: TestContext, env: Record<string, string>, ...args: string[]): Promise<Edge> => ({
    ...(await startEdge(t, env, args)),
    env
  })

  /** Runs the workload, stops the edge, and returns the rows of the workload's calls. */
  const observeWorkload = async (edge: Edge, program: string, file: string) => {
    const made = JSON.parse(execFileSync(program, [String(rounds), file], { encoding: 'utf8' })) as { pid: number }
    edge.child.kill('SIGTERM')
    const { code, stderr } = await edge.finished
    assert.equal(code, 0, stderr)
    assert.match(stderr, /"dropped":0,/)
    const where = `pid == ${made.pid} && comm == "known-calls" && kind == "syscall"`
    return tailRows('events', ['--since', '10m', '--where', where], edge.env)
  }

  const assertComplete = (rows: readonly Record<string, unknown>[], program: string): void => {
    const count = (syscall: string): number => rows.filter((row) => row['syscall'] === syscall).length
    assert.deepEqual(
      ['openat', 'connect', 'accept4', 'sendto'].map(count),
      [2, 2, 1, 1].map((each) => each * rounds)
    )
    assert.deepEqual(new Set(rows.map((row) => row['exe'])), new Set([program]))
  }

  test('started by root becomes nobody on every thread, and observes every call afterwards', {
    timeout
  }, async (t) => {
    const { directory, env, program, file } = await prepare(t)
    const recording = join(directory, 'recording')
    const edge = await start(t, env, '--record', recording)
    const pid = edge.child.pid as number
    assert.ok(statusesOf(pid).length > 5)
    assert.deepEqual(leftTo(pid), [])
    assert.match(edge.output.stderr, /privileges dropped: user nobody \(65534:65534\), no capability/)
    assertComplete(await observeWorkload(edge, program, file), program)
    assert.ok(statSync(recording).size > 0)
  })

  test('continues where its user may not read the code', { timeout }, async (t) => {
    const { directory, env, program, file } = await prepare(t)
    // Only root may enter the folder. The mount ends with its namespace.
    const code = join(directory, 'code')
    mkdirSync(code)
    const script = `mount --bind '${join(import.meta.dirname, '../..')}' '${code}' && exec '${code}/cli/ringside' run edge`
    const edge = startCommand('unshare', ['--mount', 'sh', '-c', script], env)
    t.after(() => edge.child.kill('SIGKILL'))
    await untilReady(edge)
    assertComplete(await observeWorkload({ ...edge, env }, program, file), program)
  })

  test('cannot be read or debugged by another process of its user', { timeout }, async (t) => {
    const { env } = await prepare(t)
    const edge = await start(t, env)
    const asNobody = (...command: string[]) =>
      spawnSync('setpriv', ['--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups', ...command], {
        encoding: 'utf8'
      })
    for (const file of ['environ', 'mem', 'maps']) {
      // With hidepid, /proc has no other users' processes at all.
      assert.match(asNobody('cat', `/proc/${edge.child.pid}/${file}`).stderr, /Permission denied|No such file/)
    }
    assert.equal(edge.child.exitCode, null)
    assert.equal(asNobody('kill', '-USR1', String(edge.child.pid)).status, 0)
    await sleep(500)
    assert.doesNotMatch(edge.output.stderr, /Debugger listening/)
    edge.child.kill('SIGTERM')
    assert.equal((await edge.finished).code, 0)
  })

  test('knows the executables of processes older than itself, though it has dropped the right to read them', {
    timeout
  }, async (t) => {
    const { env } = await prepare(t)
    // Opens a file every 0.2 s; older than the edge.
    const loop =
      'const { openSync, closeSync } = require("fs"); setInterval(() => closeSync(openSync("/dev/null")), 200)'
    const before = spawn(process.execPath, ['-e', loop], { stdio: 'ignore' })
    t.after(() => before.kill())
    const edge = await start(t, env)
    await eventually('events of the older process', 30, async () => {
      const rows = await tailRows('events', ['--since', '10m', '--where', `pid == ${before.pid}`], env)
      if (rows.length === 0) return undefined
      assert.equal(rows[0]?.['exe'], process.execPath)
      return true
    })
    edge.child.kill('SIGTERM')
    assert.equal((await edge.finished).code, 0)
  })

  test('without root needs only CAP_BPF and CAP_PERFMON, and drops both', {
    skip: privateCode(),
    timeout
  }, async (t) => {
    const { env, program, file } = await prepare(t)
    const capabilities = '-all,+bpf,+perfmon'
    const child = spawn(
      'setpriv',
      [
        ...['--reuid', 'nobody', '--regid', 'nogroup', '--clear-groups', '--no-new-privs'],
        ...['--inh-caps', capabilities, '--ambient-caps', capabilities, '--bounding-set', capabilities],
        ...[launcher, 'run', 'edge']
      ],
      { env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] }
    )
    const output = { stdout: '', stderr: '' }
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output.stderr += text
    })
    const finished = new Promise<number | null>((resolve) => child.on('close', resolve))
    const edge = { child, output, finished: finished.then((code) => ({ code, ...output })), env }
    t.after(() => child.kill('SIGKILL'))
    await untilReady(edge)
    const held = statusesOf(child.pid as number)
    assert.deepEqual(leftTo(child.pid as number, { ...nobody, noBoundingSet: false }), [])
    for (const status of held) assert.match(status, /^CapBnd:\t000000c000000000$/m)
    assertComplete(await observeWorkload(edge, program, file), program)
  })

  test('stays root when no user is named', { timeout }, async (t) => {
    const { env } = await prepare(t)
    const edge = await start(t, env, '--user', '')
    for (const status of statusesOf(edge.child.pid as number)) {
      assert.match(status, /^Uid:\t0\t0\t0\t0$/m)
      assert.doesNotMatch(status, /^CapEff:\t0+$/m)
    }
    edge.child.kill('SIGTERM')
    assert.equal((await edge.finished).code, 0)
  })

  test('refuses an unknown user with a configuration error, before it loads anything', { timeout }, async (t) => {
    const directory = temporaryDirectory(t, 'privileges')
    const recording = join(directory, 'recording')
    const env = { RINGSIDE_STATE_DIR: directory, RINGSIDE_BROKERS: kafka.brokers.join(',') }
    const args = ['run', 'edge', '--user', 'no-such-user', '--record', recording]
    const { code, stderr } = await startRingside(args, env).finished
    assert.equal(code, 78)
    assert.match(stderr, /edge\.user: there is no user "no-such-user"/)
    assert.equal(existsSync(recording), false)
  })

  test('refuses to start as root where it may not become another user', { timeout }, async (t) => {
    const env = { ...process.env, RINGSIDE_STATE_DIR: temporaryDirectory(t, 'privileges'), RINGSIDE_BROKERS: '[::1]:1' }
    const args = ['--bounding-set', '-setuid', launcher, 'run', 'edge']
    const { status, stderr } = spawnSync('setpriv', args, { encoding: 'utf8', env })
    assert.equal(status, 77)
    assert.match(stderr, /root cannot become "nobody" without CAP_SETUID and CAP_SETGID/)
  })

  test('as a child of `ringside up` drops its privileges, too, reports its counters, and stops when `up` asks it to', {
    timeout
  }, async (t) => {
    const { env } = await prepare(t)
    const up = startRingside(['up', '--for', '5s', '--panel-listen', '0', '--format', 'json'], env)
    t.after(() => up.child.kill('SIGTERM'))
    await eventually('an edge without privileges', 60, () => {
      if (up.child.exitCode !== null) throw new Error(`up ended:\n${up.output.stderr}`)
      return childrenOf(up.child.pid as number).find(
        ({ pid, command }) => / run edge /.test(command) && leftTo(pid).length === 0
      )
    })
    const { code, stdout, stderr } = await up.finished
    assert.equal(code, 0, stderr)
    const summary = JSON.parse(stdout) as { seen: number; published: number; restarts: Record<string, number> }
    assert.ok(summary.seen > 0)
    assert.equal(summary.seen, summary.published)
    assert.equal(summary.restarts['edge'], 0)
  })

  test('ends when the `ringside up` that started it is killed', { timeout }, async (t) => {
    const { env } = await prepare(t)
    const up = startRingside(['up', '--panel-listen', '0'], env)
    await eventually('everything to run', 60, () => /running: edge/.test(up.output.stderr) || undefined)
    const children = childrenOf(up.child.pid as number)
    up.child.kill('SIGKILL')
    await up.finished
    await eventually(
      'the end of its services',
      60,
      () => !children.some(({ pid }) => existsSync(`/proc/${pid}`)) || undefined
    )
  })
})
