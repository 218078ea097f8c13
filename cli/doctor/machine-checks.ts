// What Ringside uses of the machine besides its kernel: tools, Java, disk, clock.
import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync, statfsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import type { Config } from '../../runtime/config.ts'
import { formatBytes } from '../../runtime/format-number.ts'
import { type Check, type Finding, fail, ok, warn } from './check.ts'

const execute = promisify(execFile)
const timeout = 10_000

const isInstalled = (command: string): boolean =>
  (process.env['PATH'] ?? '').split(':').some((dir) => dir !== '' && existsSync(join(dir, command)))

/** Each tool of a build under the names it goes by. */
const tools = [['clang-19', 'clang'], ['llvm-strip-19', 'llvm-strip'], ['g++'], ['make']] as const

const buildTools = (): Finding => {
  const missing = tools.filter((names) => !names.some(isInstalled)).map((names) => names.at(-1))
  if (missing.length === 0) return ok('clang, llvm-strip, g++, make')
  return warn(`missing: ${missing.join(', ')}`, 'needed only to build: `sudo sh scripts/setup.sh` installs them')
}

/** The major version in the first line of `java -version`: 'openjdk version "17.0.12" 2024-07-16' → 17. */
export const javaMajor = (versionOutput: string): number | undefined => {
  const match = /version "(\d+)/.exec(versionOutput)
  return match === null ? undefined : Number(match[1])
}

const java = async (config: Config): Promise<Finding> => {
  // A cluster that is named makes the local Kafka, the only user of Java, unnecessary.
  const lacking = config.brokers.length > 0 ? warn : fail
  const remedy = 'install a Java 17 runtime (openjdk-17-jre-headless), or name a cluster with --brokers'
  try {
    const { stderr } = await execute('java', ['-version'], { timeout })
    const major = javaMajor(stderr)
    const first = stderr.split('\n')[0] ?? ''
    return major !== undefined && major >= 17 ? ok(first) : lacking(`${first}: too old for Kafka`, remedy)
  } catch {
    return lacking('not installed', remedy)
  }
}

/** Kafka stops when its disk is full, and half a gigabyte is a few minutes of a busy host. */
const leastFreeBytes = 512 << 20

const stateDir = ({ stateDir: dir }: Config): Finding => {
  let existing = dir
  while (!existsSync(existing)) existing = dirname(existing)
  try {
    accessSync(existing, constants.W_OK)
  } catch {
    return fail(`${dir}: ${existing} cannot be written`, 'give another folder with --state-dir or RINGSIDE_STATE_DIR')
  }
  const { bavail, bsize } = statfsSync(existing)
  const free = `${dir}: ${formatBytes(bavail * bsize)} free`
  return bavail * bsize < leastFreeBytes
    ? fail(free, 'free some space, or give another folder with --state-dir')
    : ok(free)
}

const clock = async (): Promise<Finding> => {
  const remedy = 'install chrony or systemd-timesyncd: times of different hosts are compared'
  const answers = [
    { command: 'timedatectl', args: ['show', '-p', 'NTPSynchronized', '--value'], synchronized: /^yes/m },
    { command: 'chronyc', args: ['-n', 'tracking'], synchronized: /^Leap status\s*: Normal/m }
  ]
  for (const { command, args, synchronized } of answers) {
    const answer = await execute(command, args, { timeout }).catch(() => undefined)
    if (answer === undefined) continue
    return synchronized.test(answer.stdout)
      ? ok(`synchronized, says ${command}`)
      : warn(`not synchronized, says ${command}`, remedy)
  }
  return warn('nothing here tells whether it is synchronized', remedy)
}

export const machineChecks = (config: Config): Check[] => [
  { name: 'state folder', look: () => stateDir(config) },
  { name: 'clock', look: clock },
  { name: 'build tools', look: buildTools },
  { name: 'java', look: () => java(config) }
]
