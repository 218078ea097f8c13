// The jars of pom.xml in a folder of their own, fetched once with Maven. The folder's name has the
// pom's hash, so that a changed version is fetched and an interrupted fetch is never taken for whole.
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

/** Shared by `up`, the tests and the set-up; RINGSIDE_KAFKA_LIB names another place. */
const cacheDir = (): string =>
  process.env['RINGSIDE_KAFKA_LIB'] || join(import.meta.dirname, '..', '..', 'build', 'kafka')

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12)

const lowestJava = 17

/**
 * @returns what `java -version` says
 * @throws RingsideError OS when there is no Java of version 17 or newer
 */
export const checkJava = async (): Promise<string> => {
  const install = 'install one (Debian: apt-get install openjdk-17-jre-headless) or name a cluster with --brokers'
  const { stderr } = await run('java', ['-version']).catch((cause: unknown) => {
    throw new RingsideError('OS', `the local Kafka needs Java ${lowestJava} or newer and finds none: ${install}`, {
      cause
    })
  })
  const version = Number(/version "(\d+)/.exec(stderr)?.[1])
  if (version >= lowestJava) return stderr
  throw new RingsideError('OS', `the local Kafka needs Java ${lowestJava} or newer, java is ${version}: ${install}`)
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
        'the local Kafka is fetched with Maven, and mvn is missing: install it (Debian: apt-get install maven) or name a cluster with --brokers',
        { cause }
      )
    }
    const output = cause instanceof Error && 'stdout' in cause ? String(cause.stdout) : messageOf(cause)
    // The first line may begin with colour codes, the last words point to a help page.
    const reason = /\[ERROR\] (\S.*?)(?: -> \[Help \d+\])?$/m.exec(output)?.[1] ?? messageOf(cause)
    throw new RingsideError('UNAVAILABLE', `Maven cannot fetch the jars of ${pom}: ${reason}`, { cause })
  }
}

/**
 * Sees to it that the jars are there.
 * @returns the folder that holds them
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
    // What root fetched, a user's Kafka reads as well.
    await chmod(partial, 0o755)
    // Another process may have fetched them meanwhile: the same jars, so either folder will do.
    await rename(partial, dir).catch((error: unknown) => {
      if (!existsSync(dir)) throw error
    })
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  return dir
}

/** Where the JVM keeps Kafka's classes ready parsed (it halves the start); one for each build of Java. */
export const classArchiveOf = (jars: string, javaVersion: string): string =>
  join(jars, `classes-${sha256(javaVersion)}.jsa`)
