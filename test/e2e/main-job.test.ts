// The whole path on a live kernel and a real Kafka: a program's known calls are in events, rollups and the audit log,
// exactly, and alerts are raised by bursts and not by quiet.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { localKafkaMissing } from '../support/kafka.ts'
import { kernelTests } from '../support/kernel.ts'
import '../support/quiet-machine.ts'
import { freePort } from '../support/free-port.ts'
import { eventually, latestRevisions, runRingside, startUp, tailRows, temporaryDirectory } from '../support/ringside.ts'

const programs = join(import.meta.dirname, 'programs')
const rounds = 200

/** The calls of known_calls.c under its name: number, failures, and expected errors. */
const expected: Record<string, { count: number; failed: number; expected: number }> = {
  openat: { count: 2 * rounds, failed: 0, expected: rounds },
  read: { count: rounds, failed: 0, expected: 0 },
  write: { count: rounds, failed: 0, expected: 0 },
  connect: { count: 2 * rounds, failed: rounds, expected: 0 },
  accept4: { count: rounds, failed: 0, expected: 0 },
  sendto: { count: rounds, failed: 0, expected: 0 },
  socket: { count: 2 * rounds, failed: 0, expected: 0 },
  close: { count: 3 * rounds, failed: 0, expected: 0 },
  bind: { count: 2, failed: 0, expected: 0 },
  listen: { count: 1, failed: 0, expected: 0 }
}

type Row = Record<string, unknown>

const countsBySyscall = (rows: readonly Row[]): Record<string, { count: number; failed: number; expected: number }> => {
  const counts: Record<string, { count: number; failed: number; expected: number }> = {}
  for (const row of rows) {
    counts[String(row['syscall'])] ??= { count: 0, failed: 0, expected: 0 }
    const entry = counts[String(row['syscall'])] as { count: number; failed: number; expected: number }
    entry.count += Number(row['count'] ?? 1)
    for (const verdict of ['failed', 'expected'] as const)
      entry[verdict] += Number(row[verdict] ?? (row['verdict'] === verdict ? 1 : 0))
  }
  return counts
}

const only = (counts: typeof expected, names: readonly string[]): typeof expected =>
  Object.fromEntries(Object.entries(counts).filter(([name]) => names.includes(name)))

test('known calls are exactly in events, rollups and audit log; a burst raises one alert, quiet raises none', {
  skip: kernelTests.skip || (await localKafkaMissing()),
  timeout: 300_000
}, async (t) => {
  const directory = temporaryDirectory(t, 'e2e')
  const env = { RINGSIDE_STATE_DIR: join(directory, 'state'), RINGSIDE_HOST: 'e2e-host' }
  const file = join(directory, 'file')
  writeFileSync(file, '')
  execFileSync('gcc', ['-O1', '-Wall', '-o', join(directory, 'known_calls'), join(programs, 'known_calls.c')])

  // Started before the edge, which does not observe its listen.
  const listener = spawn('python3', [join(programs, 'handed_over.py')], { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => listener.kill())
  const unannouncedPort = Number((await once(listener.stdout, 'data'))[0])

  const all = ['--call', 'read=emit', '--call', 'write=emit']
  const up = await startUp(t, env, ...all)
  const started = Date.now()

  const made = JSON.parse(
    execFileSync(join(directory, 'known_calls'), [String(rounds), file], { encoding: 'utf8' })
  ) as {
    pid: number
    port: number
    refused_port: number
    udp_port: number
  }
  const ofProcess = ['--since', '10m', '--where', `pid == ${made.pid}`]
  const mine = ['--since', '10m', '--where', `comm == "known-calls" && pid == ${made.pid}`]

  const alertsOf = (rule: string): Promise<Row[]> =>
    eventually(`an alert of ${rule}`, 60, async () => {
      const rows = await tailRows('alerts', ['--since', '10m', '--where', `rule == "${rule}"`], env)
      return rows.length > 0 ? rows : undefined
    })

  // Only calls under the name that the program gives itself: those of its loader have another.
  const isCall = (row: Row): boolean => row['kind'] === 'syscall'
  const events = await eventually('all events of the workload', 60, async () => {
    const rows = await tailRows('events', mine, env)
    const total = Object.values(expected).reduce((sum, { count }) => sum + count, 0)
    return rows.filter(isCall).length >= total ? rows : undefined
  })
  assert.deepEqual(countsBySyscall(events.filter(isCall)), expected)

  await t.test('events have the arguments and results of the calls', () => {
    const find = (syscall: string, ok: (row: Row) => boolean): Row[] =>
      events.filter((row) => isCall(row) && row['syscall'] === syscall && ok(row))
    assert.equal(find('openat', (row) => row['path'] === file && Number(row['ret']) >= 0).length, rounds)
    assert.equal(find('openat', (row) => row['path'] === `${file}.missing` && row['errno'] === 'ENOENT').length, rounds)
    assert.equal(find('write', (row) => row['bytes'] === 100).length, rounds)
    const toListener = (row: Row): boolean => row['remote_address'] === '127.0.0.1' && row['remote_port'] === made.port
    assert.equal(find('connect', (row) => toListener(row) && row['ret'] === 0).length, rounds)
    const refused = (row: Row): boolean => row['remote_port'] === made.refused_port && row['errno'] === 'ECONNREFUSED'
    assert.equal(find('connect', refused).length, rounds)
    const accepted = (row: Row): boolean => row['local_port'] === made.port && row['remote_address'] === '127.0.0.1'
    assert.equal(find('accept4', accepted).length, rounds)
    const sent = (row: Row): boolean =>
      row['remote_port'] === made.udp_port && row['bytes'] === 10 && row['protocol'] === 'udp'
    assert.equal(find('sendto', sent).length, rounds)
    assert.equal(find('listen', (row) => row['local_port'] === made.port).length, 1)
    for (const row of events) {
      assert.equal(row['host'], 'e2e-host')
      assert.equal(row['uid'], 0)
      assert.equal(row['exe'], join(directory, 'known_calls'))
      assert.equal(row['ppid'], process.pid)
    }
    // The program's connects block: their results are their outcomes.
    assert.deepEqual(
      events.filter((row) => row['kind'] === 'connect_outcome'),
      []
    )
  })

  const sum = (rows: readonly Row[]): number => rows.reduce((sum, row) => sum + Number(row['count']), 0)

  await t.test('rollups by process sum up to all its calls, emitted or counted', async () => {
    const emitted = countsBySyscall((await tailRows('events', ofProcess, env)).filter(isCall))
    // Emitted calls, and getppid, which the kernel counts; other counted calls are the loader's.
    const calls = { ...emitted, getppid: { count: rounds, failed: 0, expected: 0 } }
    const total = Object.values(calls).reduce((total, { count }) => total + count, 0)
    const rows = await eventually('all calls of the workload in rollups by process', 60, async () => {
      const latest = latestRevisions(await tailRows('rollups', ofProcess, env))
      const found = latest.filter((row) => String(row['syscall']) in calls)
      return sum(found) >= total ? found : undefined
    })
    assert.deepEqual(countsBySyscall(rows), calls)
    for (const row of rows) {
      assert.equal(row['by'], 'process')
      assert.ok(Number(row['p50_ns']) > 0 && Number(row['p50_ns']) <= Number(row['max_ns']))
    }
  })

  await t.test('rows of one second sum up to those of the longer windows', async () => {
    const workload = join(directory, 'known_calls')
    const ofGetppid = ['--since', '10m', '--where', `workload == "${workload}" && pid == 0 && syscall == "getppid"`]
    for (const windowMs of [10_000, 60_000]) {
      const rows = await eventually(`getppid in windows of ${windowMs} ms`, 90, async () => {
        const latest = latestRevisions(await tailRows('rollups', ofGetppid, env))
        return sum(latest.filter((row) => row['window_ms'] === windowMs)) >= rounds ? latest : undefined
      })
      const startMs = (row: Row): number => Date.parse(String(row['window_start']))
      for (const longer of rows.filter((row) => row['window_ms'] === windowMs)) {
        const within = (row: Row): boolean =>
          startMs(row) >= startMs(longer) && startMs(row) < startMs(longer) + windowMs
        assert.equal(sum(rows.filter((row) => row['window_ms'] === 1000 && within(row))), longer['count'])
      }
    }
  })

  await t.test('the audit log has a row for each security call', async () => {
    const names = ['connect', 'accept4', 'bind', 'listen', 'sendto', 'close']
    const wanted = only(expected, names)
    const total = Object.values(wanted).reduce((sum, { count }) => sum + count, 0)
    const rows = await eventually('all rows of the workload in the audit log', 60, async () => {
      const found = (await tailRows('audit', mine, env)).filter(isCall)
      return found.length >= total ? found : undefined
    })
    assert.deepEqual(only(countsBySyscall(rows), names), wanted)
  })

  await t.test('another client reads the topics', () => {
    const brokers = /127\.0\.0\.1:\d+/.exec(up.output.stderr)?.[0]
    assert.ok(brokers !== undefined, up.output.stderr)
    const listing = execFileSync('kcat', ['-b', brokers, '-L'], { encoding: 'utf8' })
    for (const topic of ['events', 'rollups', 'audit', 'alerts', 'deadletter']) {
      assert.match(listing, new RegExp(`topic "ringside\\.${topic}"`))
    }
  })

  await t.test('a quiet minute raises no alert, a burst of connects raises one', async () => {
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, started + 60_000 - Date.now())))
    assert.deepEqual(await tailRows('alerts', ['--since', '10m'], env), [])
    // In its own network namespace, where all addresses are routed to the loopback: nothing answers.
    const burst = 'ip link set lo up && ip route add default dev lo && exec python3 "$1" 60'
    execFileSync('unshare', ['--net', 'sh', '-c', burst, 'sh', join(programs, 'connect_burst.py')])
    const rows = await alertsOf('connect_external_burst')
    assert.equal(new Set(rows.map((row) => row['id'])).size, 1, JSON.stringify(rows, null, 1))
  })

  await t.test('a flood of datagrams raises one alert', async () => {
    execFileSync('python3', [join(programs, 'datagrams.py'), '40000'])
    const rows = await alertsOf('send_flood')
    assert.equal(new Set(rows.map((row) => row['id'])).size, 1, JSON.stringify(rows, null, 1))
  })

  await t.test('an accept on a port without a listen event raises one alert', async () => {
    listener.stdin.end('\n')
    const client = connect(unannouncedPort, '127.0.0.1')
    await once(client, 'connect')
    client.destroy()
    const rows = await alertsOf('accept_unannounced')
    assert.deepEqual(
      rows.map((row) => String(row['entity']).endsWith(` ${unannouncedPort}`)),
      [true],
      JSON.stringify(rows, null, 1)
    )
  })

  await t.test('the closing summary agrees with itself', async () => {
    up.child.kill('SIGINT')
    const { code, stdout, stderr } = await up.finished
    assert.equal(code, 0, stderr)
    const summary = JSON.parse(stdout) as Record<string, unknown>
    assert.equal(summary['agrees'], true, JSON.stringify(summary))
    assert.equal(Number(summary['seen']), Number(summary['published']) + Number(summary['dropped']))
    assert.equal(summary['alerts'], 3)
  })

  await t.test('the topics are still there after a restart of up', async () => {
    // Events, even on a quiet machine.
    const workload = spawn('sh', ['-c', 'while sleep 0.1; do /bin/true; done'])
    const summary = await runRingside(
      ['up', '--for', '5s', '--panel-listen', '0', '--kafka-port', String(await freePort()), '--format', 'json'],
      env
    ).finally(() => workload.kill())
    assert.equal((JSON.parse(summary) as Row)['agrees'], true)
  })
})
