// Runs Apache Kafka, one node in KRaft mode, as a child process on a state folder and a port. Its data outlives it. A Kafka
// that a killed parent left behind is stopped first.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, openSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { cannotWrite, RingsideError } from '../../runtime/errors.ts'
import { cannotListen } from '../../runtime/listen.ts'
import type { Log } from '../../runtime/log.ts'
import { createKafkaClient } from '../../wire/kafka.ts'
import { checkJava, classArchiveOf, prepareLocalKafka } from './jars.ts'
import { endLeftover, endProcess, isRunning, writeProcessFile } from './process-file.ts'
import { serverProperties } from './server-properties.ts'

export { prepareLocalKafka } from './jars.ts'

export interface LocalKafkaOptions {
  readonly stateDir: string
  /** Loopback port for clients; 0: any free port. */
  readonly port: number
  readonly heapMb: number
  readonly log: Log
}

export interface LocalKafka {
  /** host:port */
  readonly brokers: readonly string[]
  readonly pid: number
  /** Resolves when the process has ended, for any reason. */
  readonly exited: Promise<void>
  /** Stops it in order, after 15 s with SIGKILL; resolves when it has ended. */
  stop(): Promise<void>
}

/** Typically 1 to 3 s; longer on a loaded machine with a long log to recover. */
const readyMs = 120_000
/** Typically 0.3 s; 3 s the first time, when the JVM writes its class archive. */
const stopMs = 15_000
const pollMs = 50

const pathsOf = (stateDir: string) => {
  const dir = join(stateDir, 'kafka')
  return {
    dir,
    dataDir: join(dir, 'data'),
    properties: join(dir, 'server.properties'),
    output: join(dir, 'kafka.log'),
    processFile: join(dir, 'process.json'),
    brokers: join(dir, 'brokers')
  }
}

type Paths = ReturnType<typeof pathsOf>

/** @returns the port; rejects when another program listens on it */
const tryPort = (port: number): Promise<number> => {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const server = createServer()
  server.once('error', reject)
  server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
    const address = server.address() as AddressInfo
    server.close(() => resolve(address.port))
  })
  return promise
}

const listens = (port: number): Promise<boolean> => {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ port, host: '127.0.0.1' }, () => resolve(true))
  socket.once('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}

const findPort = async (port: number): Promise<number> => {
  const remedy = `choose another kafka.port (--kafka-port); or, to use a Kafka that runs there, --brokers 127.0.0.1:${port}`
  const found = await tryPort(port).catch((cause: unknown) => cause)
  if (typeof found === 'number') return found
  throw cannotListen('Kafka', { host: '127.0.0.1', port }, found, remedy)
}

// Only the C1 compiler: it cuts the start by a third, and a broker copies more than it computes.
const commonFlags = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData', '-Djava.awt.headless=true']

const startJvm = (jars: string, flags: readonly string[], args: readonly string[], paths: Paths): ChildProcess => {
  const log4j = `-Dlog4j2.configurationFile=${join(import.meta.dirname, 'log4j2.properties')}`
  const output = openSync(paths.output, 'a')
  return spawn('java', [...commonFlags, ...flags, log4j, '-cp', join(jars, '*'), ...args], {
    // In a session of its own: Ctrl-C reaches only `up`, which stops Kafka last.
    detached: true,
    stdio: ['ignore', output, output]
  })
}

const exitOf = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.once('exit', () => resolve())
    child.once('error', () => resolve())
  })

/** Warnings of the class archive at the end of the first run, which follow the lines that matter. */
const archiveWarning = /^\[[\d.]+s\]\[warning\]\[cds\]/

const lastLines = async (path: string): Promise<string> => {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text
    .trim()
    .split('\n')
    .filter((line) => !archiveWarning.test(line))
    .slice(-5)
    .join('\n')
}

/** True for the output of a Kafka that cannot read data of a newer one. */
export const isOfNewerKafka = (output: string): boolean =>
  /UnsupportedVersionException: Can't read version|No MetadataVersion with feature level/.test(output)

/** Without a leading "-", which Kafka's tools would take for an option. */
export const newClusterId = (): string => {
  const id = randomBytes(16).toString('base64url')
  return id.startsWith('-') ? newClusterId() : id
}

const formatStorage = async (jars: string, flags: readonly string[], paths: Paths): Promise<void> => {
  const args = ['kafka.tools.StorageTool', 'format', '--standalone', '-t', newClusterId(), '-c', paths.properties]
  const child = startJvm(jars, flags, args, paths)
  await exitOf(child)
  if (child.exitCode === 0) return
  await rm(paths.dataDir, { recursive: true, force: true })
  throw new RingsideError('OS', `Kafka cannot format ${paths.dataDir}:\n${await lastLines(paths.output)}`)
}

const waitUntilReady = async (broker: string, hasExited: () => boolean, paths: Paths, log: Log): Promise<void> => {
  const client = createKafkaClient({
    brokers: [broker],
    clientId: 'ringside-local',
    log: log.child({}, { level: 'error' })
  })
  const port = Number(broker.split(':')[1])
  for (const deadline = Date.now() + readyMs; Date.now() < deadline; await delay(pollMs)) {
    if (hasExited()) break
    // Pings only a listening port: each refused connection costs kafkajs a second of retries.
    if (!(await listens(port))) continue
    const cluster = await client.ping().catch(() => undefined)
    if (cluster !== undefined && cluster.brokers > 0) return
  }
  if (hasExited() && isOfNewerKafka(await readFile(paths.output, 'utf8').catch(() => ''))) {
    throw new RingsideError(
      'DATA',
      `${paths.dataDir} was written by a newer Kafka: choose another --state-dir, or remove that folder, which deletes its topics`
    )
  }
  const problem = hasExited() ? 'ended during its start' : `does not answer after ${readyMs / 1000} s`
  throw new RingsideError(
    'UNAVAILABLE',
    `the local Kafka ${problem}; the end of ${paths.output}:\n${await lastLines(paths.output)}`
  )
}

/** True for the output of a Kafka whose port another program took after it had been found free. */
export const isPortTaken = (output: string): boolean => /Address already in use/.test(output)

/**
 * Starts Kafka and waits until it answers. Needs Java 17, and the first time Maven for the jars.
 * @throws RingsideError OS when Java or Maven is missing; CONFIG when the port is in use; UNAVAILABLE when another process
 *   runs a Kafka on this state folder, or Kafka does not start
 */
export const startLocalKafka = async (options: LocalKafkaOptions): Promise<LocalKafka> => {
  for (let tries = 0; tries < 3; tries++) {
    const kafka = await tryToStart(options)
    if (kafka !== undefined) return kafka
    options.log.info('another program took a port of Kafka during its start, trying another port')
  }
  const message = 'three times another program took a port of Kafka during its start: try again'
  throw new RingsideError('UNAVAILABLE', message)
}

const remedy = 'choose another folder with --state-dir'

/** @returns undefined when another program took a port during the start */
const tryToStart = async ({ stateDir, port, heapMb, log }: LocalKafkaOptions): Promise<LocalKafka | undefined> => {
  const startedAt = Date.now()
  const paths = pathsOf(stateDir)
  const javaVersion = await checkJava()
  const jars = await prepareLocalKafka(log)
  const archive = classArchiveOf(jars, javaVersion)
  await mkdir(paths.dir, { recursive: true })
  if (await endLeftover(paths.processFile, paths.properties, stopMs))
    log.info('stopped a Kafka that an earlier run left behind')

  const clientPort = await findPort(port)
  const address = { port: clientPort, controllerPort: await findPort(0), dataDir: paths.dataDir }
  try {
    await writeFile(paths.properties, serverProperties(address))
    await writeFile(paths.output, '')
  } catch (cause) {
    throw cannotWrite(paths.dir, cause, remedy)
  }
  if (!existsSync(join(paths.dataDir, 'meta.properties'))) {
    log.info(`formatting Kafka's storage in ${paths.dataDir}`)
    await formatStorage(jars, existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`] : [], paths)
  }

  const newArchive = `${archive}.${process.pid}`
  const sharing = existsSync(archive) ? `-XX:SharedArchiveFile=${archive}` : `-XX:ArchiveClassesAtExit=${newArchive}`
  const heap = [`-Xms${Math.min(192, heapMb)}m`, `-Xmx${heapMb}m`, '-XX:+ExitOnOutOfMemoryError']
  const child = startJvm(jars, [...heap, sharing], ['kafka.Kafka', paths.properties], paths)
  const { pid } = child
  if (pid === undefined) throw new RingsideError('OS', 'cannot start java: check `java -version`')
  const hasExited = () => child.exitCode !== null || child.signalCode !== null
  const exited = exitOf(child).then(async () => {
    await rm(paths.brokers, { force: true })
  })
  const stop = async (): Promise<void> => {
    if (!hasExited()) await endProcess(pid, hasExited, stopMs)
    await exited
    if (existsSync(newArchive)) await rename(newArchive, archive).catch(() => rm(newArchive, { force: true }))
  }

  const broker = `127.0.0.1:${clientPort}`
  try {
    await writeProcessFile(paths.processFile, pid)
    await waitUntilReady(broker, hasExited, paths, log)
    await writeFile(paths.brokers, broker)
  } catch (error) {
    const wasPortTaken = hasExited() && isPortTaken(await readFile(paths.output, 'utf8'))
    await stop()
    if (wasPortTaken) return undefined
    throw error instanceof RingsideError ? error : cannotWrite(paths.dir, error, remedy)
  }
  log.info({ pid, port: clientPort, startMs: Date.now() - startedAt }, `Kafka answers on ${broker}`)
  return { brokers: [broker], pid, exited, stop }
}

/** @returns the brokers of the Kafka that runs on this state folder; undefined without one */
export const findLocalBrokers = async (stateDir: string): Promise<string[] | undefined> => {
  const paths = pathsOf(stateDir)
  if (!(await isRunning(paths.processFile, paths.properties))) return undefined
  const text = await readFile(paths.brokers, 'utf8').catch(() => '')
  return text === '' ? undefined : text.trim().split(',')
}
