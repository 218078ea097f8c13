// Runs every test. Files run side by side, but for those that load BPF programs, which follow each other, and those that
// need a quiet machine, which run alone. Arguments name files or folders to run instead; --quick leaves out all that need
// the kernel, Kafka or a browser.
import { globSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { run } from 'node:test'
import type { TestEvent } from 'node:test/reporters'
import { browserMissing } from '../test/support/browser.ts'
import { kafkaMissing, startKafka } from '../test/support/kafka.ts'
import { kernelTests, privateCode } from '../test/support/kernel.ts'
import { planOf } from './test/plan.ts'
import { Report } from './test/report.ts'

/** Longer than the slowest file takes on a slow machine: a file that hangs fails. */
const fileTimeoutMs = 10 * 60_000

const root = join(import.meta.dirname, '..')
const isQuick = process.argv.includes('--quick')
const named = process.argv.slice(2).filter((argument) => argument !== '--quick')

const filesIn = (path: string): string[] =>
  statSync(path).isDirectory() ? globSync(join(path, '**/*.test.ts')) : [path]
const files = (named.length > 0 ? named : [join(root, 'test')]).flatMap(filesIn)
const plan = planOf(root, files.map((file) => relative(root, resolve(file))).toSorted(), isQuick)

const missing = isQuick
  ? ['the kernel, Kafka and the browser, as --quick was asked for: npm test']
  : [kernelTests.skip || privateCode(), await kafkaMissing(), browserMissing()].filter((reason) => reason !== false)
const warn = (): void => {
  for (const reason of missing) process.stderr.write(`\n!!! NOT TESTED HERE: ${reason}\n`)
}

const ended = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    process.stderr.write(`\n${signal}: ending the tests that run\n`)
    ended.abort()
    setTimeout(() => process.exit(1), 10_000).unref()
  })
}

/** One broker for all files that use one: its topics have names of their own. */
const startBroker = async (): Promise<() => Promise<void>> => {
  if ((await kafkaMissing()) !== false) return async () => {}
  const { brokers, stop } = await startKafka()
  process.env['RINGSIDE_TEST_BROKERS'] = brokers.join(',')
  return stop
}
const all = [...plan.kernel, ...plan.shared, ...plan.quiet]
const usesKafka = (file: string): boolean => plan.needs.get(file)?.has('kafka') === true
const broker = all.some(usesKafka) ? startBroker() : undefined

const report = new Report(process.stdout)
const runFile = async (file: string): Promise<void> => {
  if (ended.signal.aborted) return
  if (usesKafka(file)) await broker
  const startedMs = performance.now()
  const events: TestEvent[] = []
  const execArgv = ['--disable-warning=ExperimentalWarning']
  const results = run({ files: [join(root, file)], execArgv, timeout: fileTimeoutMs, signal: ended.signal })
  for await (const event of results) events.push(event as TestEvent)
  report.add(file, events, performance.now() - startedMs)
}

const shared = [...plan.shared]
const runInTurn = async (own: readonly string[]): Promise<void> => {
  for (const file of own) await runFile(file)
  for (let file = shared.shift(); file !== undefined; file = shared.shift()) await runFile(file)
}

// Settings of the user's own Ringside are none of the tests'.
for (const name of Object.keys(process.env)) {
  if (/^RINGSIDE_(?!TEST_|LOG_LEVEL|KAFKA_LIB|UPDATE_)/.test(name)) delete process.env[name]
}
process.chdir(root)
warn()
// One more than CPUs: tests wait more than they compute.
const workers = Array.from({ length: availableParallelism() + 1 }, () => runInTurn([]))
await Promise.all([...(plan.kernel.length > 0 ? [runInTurn(plan.kernel)] : []), ...workers])
for (const file of plan.quiet) await runFile(file)
const hasPassed = await report.finish()
await (await broker)?.()
warn()
process.exitCode = hasPassed && !ended.signal.aborted ? 0 : 1
