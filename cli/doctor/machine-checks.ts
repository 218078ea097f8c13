// Checks of the machine besides its kernel: build tools, Java, disk, clock.
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

/** Build tools, each with its alternative names. */
const tools = [['clang-19', 'clang'], ['llvm-strip-19', 'llvm-strip'], ['g++'], ['make']] as const

const buildTools = (): Finding => {
  const missing = tools.filter((names) => !names.some(isInstalled)).map((names) => names.at(-1))
  if (missing.length === 0) return ok('clang, llvm-strip, g++, make')
  return warn(`missing: ${missing.join(', ')}`, 'only a build needs them: `sudo sh scripts/setup.sh` installs them')
}

/** 'openjdk version "17.0.12" 2024-07-16' → 17 */
export const javaMajor = (versionOutput: string): number | undefined => {
  const match = /version "(\d+)/.exec(versionOutput)
  return match === null ? undefined : Number(match[1])
}

const java = async (config: Config): Promise<Finding> => {
  // Only the local Kafka needs Java.
  const lacking = config.brokers.length > 0 ? warn : fail
  const remedy = 'install a Java 17 runtime (openjdk-17-jre-headless), or name brokers with --brokers'
  try {
    const { stderr } = await execute('java', ['-version'], { timeout })
    const major = javaMajor(stderr)
    const first = stderr.split('\n')[0] ?? ''
    return major !== undefined && major >= 17 ? ok(first) : lacking(`${first}: Kafka needs Java 17 or newer`, remedy)
  } catch {
    return lacking('not installed', remedy)
  }
}

/** A few minutes of a busy host. Kafka stops when its disk is full. */
const leastFreeBytes = 512 << 20

const stateDir = ({ stateDir: dir }: Config): Finding => {
  let existing = dir
  while (!existsSync(existing)) existing = dirname(existing)
  try {
    accessSync(existing, constants.W_OK)
  } catch {
    return fail(`${dir}: ${existing} is not writable`, 'choose another folder with --state-dir or RINGSIDE_STATE_DIR')
  }
  const { bavail, bsize } = statfsSync(existing)
  const free = `${dir}: ${formatBytes(bavail * bsize)} free`
  return bavail * bsize < leastFreeBytes
    ? fail(free, `less than ${formatBytes(leastFreeBytes)}: free some space, or choose another folder with --state-dir`)
    : ok(free)
}

const clock = async (): Promise<Finding> => {
  const remedy = 'install chrony or systemd-timesyncd: Ringside compares the times of hosts'
  const answers = [
    { command: 'timedatectl', args: ['show', '-p', 'NTPSynchronized', '--value'], synchronized: /^yes/m },
    { command: 'chronyc', args: ['-n', 'tracking'], synchronized: /^Leap status\s*: Normal/m }
  ]
  for (const { command, args, synchronized } of answers) {
    const answer = await execute(command, args, { timeout }).catch(() => undefined)
    if (answer === undefined) continue
    return synchronized.test(answer.stdout)
      ? ok(`synchronized (${command})`)
      : warn(`not synchronized (${command})`, remedy)
  }
  return warn('neither timedatectl nor chronyc reports the synchronization', remedy)
}

export const machineChecks = (config: Config): Check[] => [
  { name: 'state folder', run: () => stateDir(config) },
  { name: 'clock', run: clock },
  { name: 'build tools', run: buildTools },
  { name: 'java', run: () => java(config) }
]
