// Runs every test, one file at a time: kernel tests see the whole machine, so two at once would see each
// other. Arguments name files or folders to run instead. What cannot be tested here is said before and after.
import { spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { browserMissing } from '../test/support/browser.ts'
import { kafkaMissing } from '../test/support/kafka.ts'
import { kernelTests } from '../test/support/kernel.ts'

const missing = [kernelTests.skip, await kafkaMissing(), browserMissing()].filter((reason) => reason !== false)
const warn = (): void => {
  for (const reason of missing) process.stderr.write(`\n!!! NOT TESTED HERE: ${reason}\n`)
}

const root = join(import.meta.dirname, '..')
const named = process.argv.slice(2).map((path) => (statSync(path).isDirectory() ? join(path, '**/*.test.ts') : path))
const files = named.length > 0 ? named : ['test/**/*.test.ts']

warn()
const runner = spawn(
  process.execPath,
  ['--test', '--test-concurrency=1', '--test-reporter=spec', '--disable-warning=ExperimentalWarning', ...files],
  { cwd: root, stdio: 'inherit' }
)
runner.on('exit', (code, signal) => {
  warn()
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1)
})
