// `ringside top` in a pseudo terminal, with rollups that arrive while it runs.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { before, describe, type TestContext, test } from 'node:test'
import { encode } from '../../../wire/codec.ts'
import { kafkaMissing, uniqueName, withKafka } from '../../support/kafka.ts'
import { eventually, runRingside, startRingside } from '../../support/ringside.ts'
import { rollup, status } from './rollup.ts'

const inTerminal = join(import.meta.dirname, '../programs/in_terminal.py')
const launcher = join(import.meta.dirname, '../../../cli/ringside')
const otherScreen = '\u001b[?1049h'
const back = '\u001b[?25h\u001b[?1049l'

describe('top in a terminal', { skip: await kafkaMissing(), timeout: 180_000 }, () => {
  const kafka = withKafka()
  const prefix = `${uniqueName('top')}.`
  const env: Record<string, string> = { RINGSIDE_TOPIC_PREFIX: prefix }
  before(async () => {
    env['RINGSIDE_BROKERS'] = kafka.brokers.join(',')
    await runRingside(['topics', 'create', '--partitions', '2'], env)
  })

  /** The open window has a write, the closed one before it a read. */
  const publish = async (): Promise<void> => {
    const producer = await kafka.client.producer()
    const nowUs = Math.floor(Date.now() / 1000) * 1_000_000
    const of = (by: 'process' | 'workload', syscall: string, windowUs: number, complete: boolean) => {
      const pid = by === 'process' ? 4321 : 0
      const row = rollup({ by, pid, syscall, exe: '/usr/bin/server', window_start: windowUs, complete, count: 10 })
      return { key: 'a', value: encode('Rollup', row) }
    }
    const kinds = ['process', 'workload'] as const
    await producer.send(
      `${prefix}rollups`,
      kinds.flatMap((by) => [of(by, 'read', nowUs - 1_000_000, true), of(by, 'write', nowUs, false)])
    )
    const hostStatus = status({ window_start: nowUs - 1_000_000, watermark: nowUs })
    await producer.send(`${prefix}hosts`, [{ key: 'a', value: encode('HostStatus', hostStatus) }])
    await producer.close()
  }

  const start = (t: TestContext, args: readonly string[] = []) => {
    const command = [inTerminal, '110', '30', launcher, 'top', ...args]
    const child: ChildProcess = spawn('python3', command, { env: { ...process.env, ...env }, stdio: 'pipe' })
    t.after(() => child.kill('SIGKILL'))
    const seen = { screen: '', errors: '' }
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      seen.screen += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      seen.errors += text
    })
    return {
      child,
      seen,
      type: (keys: string) => child.stdin?.write(keys),
      shows: (pattern: RegExp) =>
        eventually(`${pattern} in\n${seen.screen.slice(-3000)}`, 60, () => pattern.test(seen.screen) || undefined),
      /** The pid of `top`. */
      pid: () => Number(seen.errors.split('\n')[0]),
      end: async () => {
        if (child.exitCode === null) await once(child, 'close')
        return JSON.parse(seen.errors.trim().split('\n').at(-1) ?? '') as { code: number; restored: boolean }
      }
    }
  }

  test('it says what to do without rollups, shows new ones, follows keys, and restores the terminal', async (t) => {
    const top = start(t)
    await top.shows(/no rollups arrived/)
    assert.ok(top.seen.screen.startsWith(otherScreen))
    await publish()
    await top.shows(/4321 +server +read/)
    // The open window is shown, too.
    await top.shows(/4321 +server +write/)
    await top.shows(/hosts +a .* ago/)
    top.type('c')
    await top.shows(/by process-call, most calls first/)
    top.type('b')
    await top.shows(/by process, most calls first/)
    top.type('\u001b[A')
    top.type('B')
    top.type('p')
    await top.shows(/by process-call, most p99 first/)
    // Frames replace each other: the screen is cleared only once.
    assert.equal(top.seen.screen.split('\u001b[2J').length, 2)
    top.type('q')
    assert.deepEqual(await top.end(), { code: 0, restored: true })
    assert.ok(top.seen.screen.endsWith(back))
  })

  test('it fits a terminal that is made smaller', async (t) => {
    const top = start(t, ['--by', 'call'])
    await top.shows(/q quit/)
    top.seen.screen = ''
    top.child.kill('SIGUSR1')
    await eventually('a frame of 60 columns', 60, () => {
      const frame = top.seen.screen.split('\u001b[?2026h').at(-2)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: control sequences take no room
      const lines = frame?.replace(/\u001b\[[?0-9;]*[A-Za-z]/g, '').split('\r\n')
      return lines !== undefined && lines.length <= 12 && lines.every((line) => line.length <= 60) ? true : undefined
    })
    top.type('\u0003')
    assert.deepEqual(await top.end(), { code: 0, restored: true })
  })

  test('SIGTERM and errors restore the terminal', async (t) => {
    const ended = start(t)
    await ended.shows(/q quit/)
    process.kill(ended.pid(), 'SIGTERM')
    assert.deepEqual(await ended.end(), { code: 0, restored: true })
    assert.ok(ended.seen.screen.includes(back))
    const failed = start(t, ['--topic-prefix', 'none.'])
    assert.deepEqual({ ...(await failed.end()), code: 0 }, { code: 0, restored: true })
    assert.ok(failed.seen.screen.includes(back))
    assert.match(failed.seen.screen.split(back)[1] ?? '', /topic none\.\w+ does not exist/)
  })

  test('piped, it prints a table or JSON rows each second', async (t) => {
    const table = startRingside(['top', '--by', 'workload', '--format', 'table'], env)
    const json = startRingside(['top', '--by', 'workload'], env)
    for (const { child } of [table, json]) t.after(() => child.kill('SIGKILL'))
    const tables = /workload +calls\/s.*workload +calls\/s/s
    await eventually('two tables and rows', 60, async () => {
      await publish()
      return (tables.test(table.output.stdout) && json.output.stdout.split('\n').length > 2) || undefined
    })
    for (const { child, finished } of [table, json]) {
      child.kill('SIGTERM')
      assert.equal((await finished).code, 0)
    }
    assert.ok(!table.output.stdout.includes('\u001b'))
    const row = JSON.parse(json.output.stdout.split('\n')[0] ?? '') as Record<string, unknown>
    assert.deepEqual(Object.keys(row), [
      'time',
      'host',
      'pid',
      'comm',
      'exe',
      'workload',
      'container_id',
      'go_function',
      'syscall',
      'calls_per_second',
      'failed_per_second',
      'failed_share',
      'expected_per_second',
      'interrupted_per_second',
      'bytes_per_second',
      'p50_ns',
      'p99_ns',
      'time_share'
    ])
  })
})
