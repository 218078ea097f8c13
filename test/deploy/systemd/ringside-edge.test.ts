import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { privilegesLeft } from '../../../producer/privileges.ts'
import { kafkaMissing, uniqueName, withKafka } from '../../support/kafka.ts'
import { kernelTests } from '../../support/kernel.ts'
import { eventually, runRingside, tailRows, temporaryDirectory } from '../../support/ringside.ts'

const project = join(import.meta.dirname, '../../..')
const unit = readFileSync(join(project, 'deploy/systemd/ringside-edge.service'), 'utf8')

const noAnalyze = spawnSync('systemd-analyze', ['--version']).error !== undefined && 'needs systemd-analyze'

/** The unit as a file, with paths of an installed Ringside replaced. */
const writeUnit = (folder: string, replaced: Record<string, string>): string => {
  const path = join(folder, 'ringside-edge.service')
  const text = Object.entries(replaced).reduce((before, [from, to]) => {
    assert.ok(before.includes(from), from)
    return before.replaceAll(from, to)
  }, unit)
  writeFileSync(path, text)
  return path
}

test('systemd-analyze verify accepts the unit', { skip: noAnalyze }, (t) => {
  const path = writeUnit(temporaryDirectory(t, 'unit'), { '/opt/ringside/cli/ringside': '/bin/sh' })
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' })
  // It also reports on other units of the machine.
  assert.doesNotMatch(stderr, /ringside/)
  assert.equal(status, 0, stderr)
})

test('systemd-analyze security rates the exposure of the unit below 2 of 10', { skip: noAnalyze }, () => {
  const path = join(project, 'deploy/systemd/ringside-edge.service')
  const args = ['security', '--offline=true', '--no-pager', '--threshold=20', path]
  const { status, stdout } = spawnSync('systemd-analyze', args, { encoding: 'utf8' })
  assert.equal(status, 0, stdout)
})

const bootMissing =
  kernelTests.skip ||
  (process.env['RINGSIDE_TEST_SYSTEMD'] !== '1' && 'boots a systemd: set RINGSIDE_TEST_SYSTEMD=1 to run it') ||
  (!existsSync('/lib/systemd/systemd') && 'needs systemd') ||
  (await kafkaMissing())

describe('under systemd', { skip: bootMissing }, () => {
  const kafka = withKafka()

  /** @returns the pid of the process that boots the namespaces */
  const boot = (t: TestContext, folder: string): number => {
    const cgroup = uniqueName('ringside-test')
    const script = join(import.meta.dirname, 'boot.sh')
    const booted = spawn('sh', [script, folder, project, cgroup], { stdio: ['ignore', 'ignore', 'inherit'] })
    t.after(async () => {
      const ended = new Promise((resolve) => booted.once('close', resolve))
      booted.kill('SIGKILL')
      await ended
      const removeGroups = (group: string): void => {
        for (const entry of readdirSync(group, { withFileTypes: true })) {
          if (entry.isDirectory()) removeGroups(join(group, entry.name))
        }
        rmdirSync(group)
      }
      for (const mount of ['', 'systemd', 'unified']) {
        const group = join('/sys/fs/cgroup', mount, cgroup)
        if (!existsSync(group)) continue
        await eventually('an empty control group', 20, () => {
          try {
            removeGroups(group)
            return true
          } catch {
            return undefined
          }
        })
      }
    })
    return booted.pid as number
  }

  const descendantsOf = (pid: number): number[] =>
    readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .split(' ')
      .filter((text) => text !== '')
      .flatMap((text) => [Number(text), ...descendantsOf(Number(text))])

  test('the edge attaches, drops its privileges, and publishes from within the sandbox', {
    timeout: 180_000
  }, async (t) => {
    const folder = temporaryDirectory(t, 'systemd')
    const env = { RINGSIDE_BROKERS: kafka.brokers.join(','), RINGSIDE_TOPIC_PREFIX: `${uniqueName('systemd')}.` }
    await runRingside(['topics', 'create', '--partitions', '1'], env)
    const config = { brokers: kafka.brokers, topicPrefix: env.RINGSIDE_TOPIC_PREFIX }
    writeFileSync(join(folder, 'ringside.yaml'), JSON.stringify(config))
    chmodSync(folder, 0o755)
    mkdirSync(join(folder, 'units'))
    writeUnit(join(folder, 'units'), {
      '/etc/ringside/ringside.yaml': '/opt/boot/ringside.yaml',
      '[Unit]': '[Unit]\nDefaultDependencies=no',
      'network-online.target': '',
      '[Service]': '[Service]\nStandardError=append:/opt/boot/log'
    })
    writeFileSync(
      join(folder, 'units/test.target'),
      '[Unit]\nDefaultDependencies=no\nAllowIsolate=yes\nWants=ringside-edge.service\n'
    )

    const first = boot(t, folder)
    const log = (): string => (existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8') : '')
    await eventually('a ready edge', 60, () => /"msg":"ready"/.test(log()) || undefined).catch((error: unknown) => {
      throw new Error(log(), { cause: error })
    })
    const edge = descendantsOf(first).find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('main.ts'))
    assert.ok(edge !== undefined)
    for (const thread of readdirSync(`/proc/${edge}/task`)) {
      const status: string = readFileSync(`/proc/${edge}/task/${thread}/status`, 'utf8')
      const [uid, gid] = ['Uid', 'Gid'].map((name) => Number(new RegExp(`^${name}:\\t(\\d+)`, 'm').exec(status)?.[1]))
      assert.ok(uid !== undefined && gid !== undefined && uid > 0 && gid > 0)
      assert.deepEqual(privilegesLeft(status, { uid, gid, noGroups: false, noBoundingSet: false, kept: 0n }), [])
      assert.match(status, /^Seccomp:\t2$/m)
    }

    const pid = JSON.parse(
      execFileSync('python3', ['-c', 'import os; open("/etc/hostname"); print(os.getpid())']).toString()
    )
    const where = `pid == ${pid} && syscall == "openat" && path == "/etc/hostname"`
    const rows = await eventually('the event', 30, async () => {
      const found = await tailRows('events', ['--since', '10m', '--where', where], env)
      return found.length > 0 ? found : undefined
    })
    assert.equal(rows.length, 1)
    process.kill(edge, 'SIGTERM')
    await eventually('the end of the edge', 30, () => /"msg":"stopped"/.test(log()) || undefined)
    assert.match(log(), /"dropped":0,/)
  })
})
