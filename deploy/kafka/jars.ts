// Fetches the jars of pom.xml once, with Maven, into a folder named after the pom's hash: a changed pom is fetched anew. An
// interrupted fetch leaves no such folder.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'

const run = promisify(execFile)
const pom = join(import.meta.dirname, 'pom.xml')

/** Shared by `up`, tests and setup.sh. RINGSIDE_KAFKA_LIB overrides it. */
const cacheDir = (): string =>
  process.env['RINGSIDE_KAFKA_LIB'] || join(import.meta.dirname, '..', '..', 'build', 'kafka')

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12)

const lowestJava = 17

/**
 * @returns the output of `java -version`
 * @throws RingsideError OS without Java 17 or newer
 */
export const checkJava = async (): Promise<string> => {
  const install = 'install it (Debian: apt-get install openjdk-17-jre-headless), or name brokers with --brokers'
  const { stderr } = await run('java', ['-version']).catch((cause: unknown) => {
    throw new RingsideError(
      'OS',
      `the local Kafka needs Java ${lowestJava} or newer, and java is missing: ${install}`,
      {
        cause
      }
    )
  })
  const version = Number(/version "(\d+)/.exec(stderr)?.[1])
  if (version >= lowestJava) return stderr
  throw new RingsideError(
    'OS',
    `the local Kafka needs Java ${lowestJava} or newer, and java is version ${version}: ${install}`
  )
}

const fetchJars = async (into: string): Promise<void> => {
  try {
    await run('mvn', [
      ...['--quiet', '--batch-mode', '--file', pom, 'dependency:copy-dependencies'],
      ...['-DincludeScope=runtime', `-DoutputDirectory=${into}`]
    ])
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') {
      throw new RingsideError(
        'OS',
        'Maven fetches the local Kafka, and mvn is missing: install it (Debian: apt-get install maven), or name brokers with --brokers',
        { cause }
      )
    }
    const output = cause instanceof Error && 'stdout' in cause ? String(cause.stdout) : messageOf(cause)
    // Maven begins the line with colour codes and ends it with a pointer to a help page.
    const reason = /\[ERROR\] (\S.*?)(?: -> \[Help \d+\])?$/m.exec(output)?.[1] ?? messageOf(cause)
    throw new RingsideError('UNAVAILABLE', `Maven cannot fetch the jars of ${pom}: ${reason}`, { cause })
  }
}

/**
 * Fetches the jars unless they are there.
 * @returns their folder
 * @throws RingsideError OS when Maven is missing, UNAVAILABLE when it cannot fetch them
 */
export const prepareLocalKafka = async (log: Log): Promise<string> => {
  const dir = join(cacheDir(), `lib-${sha256(await readFile(pom, 'utf8'))}`)
  if (existsSync(dir)) return dir
  log.info(`fetching Apache Kafka from Maven into ${dir}`)
  await mkdir(cacheDir(), { recursive: true })
  const partial = await mkdtemp(join(cacheDir(), 'fetching-'))
  try {
    await fetchJars(partial)
    // mkdtemp makes it private, but Kafka of another user reads the jars, too.
    await chmod(partial, 0o755)
    // Another process may have fetched the same jars meanwhile.
    await rename(partial, dir).catch((error: unknown) => {
      if (!existsSync(dir)) throw error
    })
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  return dir
}

/** The JVM's class data archive, which halves Kafka's start; one for each build of Java. */
export const classArchiveOf = (jars: string, javaVersion: string): string =>
  join(jars, `classes-${sha256(javaVersion)}.jsa`)
