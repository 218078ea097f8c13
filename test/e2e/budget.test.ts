// Over its CPU budget the edge lowers the bound of each process, then counts calls instead of emitting them, class by class,
// and takes that back when the host is quiet. No call is lost: each is an event, in a summary, or a declared drop.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import type { HostReport } from '../../verify/host-report.ts'
import { decode } from '../../wire/codec.ts'
import { topicName } from '../../wire/topics.ts'
import type { EventBatch } from '../../wire/types.ts'
import { startEdge } from '../support/edge.ts'
import { createTopics, kafkaMissing, readAll, withKafka } from '../support/kafka.ts'
import { kernelTests } from '../support/kernel.ts'
import '../support/quiet-machine.ts'
import { eventually, startRingside, temporaryDirectory } from '../support/ringside.ts'

const programs = join(import.meta.dirname, '../bpf/programs')
const writesPerFlood = 1_000_000
const timeout = 400_000
/** A step is taken back after 10 s below the budget, and the bound has eight. */
const recoverySeconds = 240

describe('the CPU budget, on a live kernel', { skip: kernelTests.skip || (await kafkaMissing()) }, () => {
  const kafka = withKafka()

  const start = async (t: TestContext, name: string, budget: string, more: readonly string[] = []) => {
    const directory = temporaryDirectory(t, name)
    const { config, env: topics } = await createTopics(kafka, name)
    const env = { ...topics, RINGSIDE_STATE_DIR: directory, RINGSIDE_HOST: name }
    const build = (program: string, as: string): string => {
      execFileSync('gcc', ['-O1', '-o', join(directory, as), join(programs, `${program}.c`)])
      return join(directory, as)
    }
    const [flood, quiet] = [build('flood', 'flood'), build('known', 'quiet')]
    const options = ['--cpu-budget', budget, '--call', 'write=emit', '--comm', 'flood', '--comm', 'quiet', ...more]
    const edge = await startEdge(t, env, options)
    let writes = 0
    return {
      /** Floods until the log has a matching line, at least once. */
      floodUntil: (said: RegExp) =>
        eventually(`${said} in the log`, 60, () => {
          execFileSync(flood, [String(writesPerFlood)])
          writes += writesPerFlood
          return said.test(edge.output.stderr) || undefined
        }),
      /** One flood, with a quiet process beside it. @returns the pid of the flood */
      floodBeside: async (rounds: number): Promise<number> => {
        const child = spawn(flood, [String(writesPerFlood)], { stdio: 'ignore' })
        const ended = once(child, 'close')
        execFileSync(quiet, [String(rounds)])
        await ended
        writes += writesPerFlood
        return child.pid ?? 0
      },
      wait: (said: RegExp) =>
        eventually(`${said} in the log`, recoverySeconds, () => said.test(edge.output.stderr) || undefined),
      /** Stops the edge, asserts that every write is accounted for, and returns the batches. */
      finish: async (): Promise<EventBatch[]> => {
        edge.child.kill('SIGINT')
        assert.equal((await edge.finished).code, 0, edge.output.stderr)
        const { code, stdout, stderr } = await startRingside(['verify', '--format', 'json'], env).finished
        assert.equal(code, 0, stdout + stderr)
        const { dropped, classes } = JSON.parse(stdout) as HostReport
        const batches = (await readAll(kafka.client, topicName(config, 'events'))).map(({ value }) =>
          decode('EventBatch', value)
        )
        const emitted = batches.flatMap(({ events }) => events).filter(({ syscall }) => syscall === 'write').length
        const counted = batches
          .flatMap(({ summaries }) => summaries)
          .reduce((sum, { syscall, count }) => sum + (syscall === 'write' ? count : 0), 0)
        // The rest are calls for which the kernel's table of counts had no room.
        const uncounted = batches.findLast(({ ledger }) => ledger !== null)?.ledger?.uncounted ?? 0
        const elsewhere = writes - emitted - counted - dropped
        assert.ok(elsewhere >= 0 && elsewhere <= uncounted, `${elsewhere} writes, ${uncounted} calls uncounted`)
        assert.ok(classes.some((row) => row.class === 'io' && row.counted > 0))
        return batches
      }
    }
  }

  test('with next to no budget the bound falls first, then every class is counted but process', {
    timeout
  }, async (t) => {
    const { floodUntil, wait, finish } = await start(t, 'tiny', '0.01%', ['--process-events-per-second', '1024'])
    await floodUntil(/emitting at most 512 events per second of a process: /)
    await floodUntil(/emitting at most 256 events per second of a process: /)
    await floodUntil(/counting calls of class io /)
    await wait(/over the CPU budget with everything reduced/)
    const ledgers = (await finish()).flatMap(({ ledger }) => ledger ?? [])
    assert.deepEqual(
      ledgers.flatMap((ledger) => ledger.bound_steps).map((step) => [step.process_events, step.mode]),
      [512, 256].map((bound) => [bound, 'count'])
    )
    const steps = ledgers.flatMap((ledger) => ledger.steps)
    assert.deepEqual(
      steps.map((step) => [step.class, step.mode]),
      ['io', 'file', 'network'].map((name) => [name, 'count'])
    )
    assert.match(steps[0]?.reason ?? '', /^the edge uses .*% of a core.*, its budget is 0\.01%$/)
    const [first, last] = [ledgers[0], ledgers.at(-1)]
    assert.equal(last?.process_events, 256)
    assert.ok((last?.cpu_process_us ?? 0) > (first?.cpu_process_us ?? 0))
    assert.ok((last?.cpu_programs_us ?? 0) > (first?.cpu_programs_us ?? 0))
  })

  test('a flooding process is limited, and a quiet one beside it keeps its events', { timeout }, async (t) => {
    const rounds = 20
    const { floodUntil, floodBeside, wait, finish } = await start(t, 'ample', '10%')
    await floodUntil(/emitting at most \d+ events per second of a process: /)
    const flooder = await floodBeside(rounds)
    await wait(/emitting as many events of a process as configured again/)
    const batches = await finish()
    const quiet = batches.flatMap(({ events, processes }) =>
      events.filter(({ process, kind }) => processes[process]?.comm === 'quiet' && kind === 'syscall')
    )
    for (const call of ['connect', 'accept4', 'sendto', 'execve']) {
      assert.equal(quiet.filter(({ syscall }) => syscall === call).length, rounds, call)
    }
    const ledgers = batches.flatMap(({ ledger }) => ledger ?? [])
    const limited = ledgers.flatMap((ledger) => ledger.limited_processes)
    const ofFlooder = limited.filter(({ pid }) => pid === flooder)
    assert.ok(ofFlooder.length > 0 && ofFlooder.every(({ comm, call }) => comm === 'flood' && call === 'write'))
    assert.ok(limited.every(({ comm }) => comm === 'flood'))
    const inSummaries = batches.flatMap(({ summaries }) => summaries).reduce((sum, row) => sum + row.limited, 0)
    assert.equal(
      limited.reduce((sum, { count }) => sum + count, 0),
      inSummaries
    )
    const modes = ledgers.flatMap((ledger) => ledger.bound_steps).map(({ mode }) => mode)
    assert.deepEqual([modes[0], modes.at(-1)], ['count', 'emit'])
  })
})
