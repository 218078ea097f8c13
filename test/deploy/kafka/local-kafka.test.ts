import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import {
  findLocalBrokers,
  isOfNewerKafka,
  isPortTaken,
  type LocalKafka,
  newClusterId,
  startLocalKafka
} from '../../../deploy/kafka/local-kafka.ts'
import { RingsideError } from '../../../runtime/errors.ts'
import { createKafkaClient } from '../../../wire/kafka.ts'
import { createTopic, localKafkaMissing, readAll } from '../../support/kafka.ts'
import { testLog } from '../../support/log.ts'

const skip = await localKafkaMissing()

/** False for a zombie: that of an orphan stays when the init process does not reap it. */
const isAlive = (pid: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8') !== ''
  } catch {
    return false
  }
}

test("a cluster's id is never taken for an option of Kafka's tools", () => {
  for (let i = 0; i < 5000; i++) assert.match(newClusterId(), /^[A-Za-z0-9_][A-Za-z0-9_-]{21}$/)
})

test('data of a newer Kafka is recognised in the output', () => {
  const caused = 'Caused by: org.apache.kafka.common.errors.UnsupportedVersionException:'
  assert.equal(isOfNewerKafka(`ERROR while starting\n${caused} Can't read version 4 of BrokerEndpoint\n`), true)
  assert.equal(isOfNewerKafka('java.lang.IllegalArgumentException: No MetadataVersion with feature level 31'), true)
  assert.equal(isOfNewerKafka(`${caused} The broker does not support DESCRIBE_CLUSTER`), false)
})

test('a port that was taken during the start is recognised in the output', () => {
  const failed = 'Socket server failed to bind to 127.0.0.1:9092: Address already in use.'
  assert.equal(isPortTaken(`[Error] org.apache.kafka.common.KafkaException: ${failed}`), true)
  assert.equal(isPortTaken('[Info] Kafka Server started'), false)
})

describe('the local Kafka', { skip, timeout: 120_000 }, () => {
  let stateDir = ''
  const running = new Set<LocalKafka>()

  beforeEach(() => {
    stateDir = mkdtempSync(join(tmpdir(), 'ringside-local-kafka-'))
  })
  afterEach(async () => {
    await Promise.all([...running].map((kafka) => kafka.stop()))
    running.clear()
    rmSync(stateDir, { recursive: true, force: true })
  })

  const start = async (port = 0): Promise<LocalKafka> => {
    const kafka = await startLocalKafka({ stateDir, port, heapMb: 256, log: testLog })
    running.add(kafka)
    return kafka
  }

  const clientOf = ({ brokers }: LocalKafka) => createKafkaClient({ brokers, clientId: 'ringside-test', log: testLog })

  test('answers after its start, is found by its state folder, and is gone after its stop', async () => {
    assert.equal(await findLocalBrokers(stateDir), undefined)
    const kafka = await start()
    assert.equal((await clientOf(kafka).ping()).brokers, 1)
    assert.deepEqual(await findLocalBrokers(stateDir), kafka.brokers)
    await kafka.stop()
    await kafka.exited
    assert.equal(isAlive(kafka.pid), false)
    assert.equal(await findLocalBrokers(stateDir), undefined)
    await kafka.stop()
  })

  test('keeps its messages and its cluster id over a restart on another port', async () => {
    const first = await start()
    const { clusterId } = await clientOf(first).ping()
    const topic = await createTopic(clientOf(first), 'kept')
    const producer = await clientOf(first).producer()
    await producer.send(topic, [{ key: 'k', value: Buffer.from('kept') }])
    await producer.close()
    await first.stop()
    const second = await start()
    assert.notDeepEqual(second.brokers, first.brokers)
    assert.equal((await clientOf(second).ping()).clusterId, clusterId)
    const messages = await readAll(clientOf(second), topic)
    assert.deepEqual(
      messages.map(({ value }) => String(value)),
      ['kept']
    )
  })

  test('a port in use is refused, and the error says what to do', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    await assert.rejects(start(port), (error) => {
      assert.ok(error instanceof RingsideError)
      assert.equal(error.code, 'CONFIG')
      assert.match(
        error.message,
        new RegExp(`127\\.0\\.0\\.1:${port} for Kafka: .*EADDRINUSE.*--kafka-port.*--brokers`)
      )
      return true
    })
    server.close()
  })

  test('a Kafka whose files cannot be written is stopped, and the error says what to do', async () => {
    mkdirSync(join(stateDir, 'kafka', 'process.json'), { recursive: true })
    await assert.rejects(start(), (error) => {
      assert.ok(error instanceof RingsideError)
      assert.equal(error.code, 'IO')
      assert.match(error.message, /cannot write .*kafka: EISDIR.*--state-dir/)
      return true
    })
    const ofStateDir = readdirSync('/proc').filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(join(stateDir, 'kafka', 'server.properties'))
      } catch {
        return false
      }
    })
    assert.deepEqual(ofStateDir, [])
  })

  test('a state folder with the Kafka of another running process is refused', async () => {
    const kafka = await start()
    await assert.rejects(start(), new RegExp(`process ${process.pid} already runs a Kafka on `))
    assert.equal((await clientOf(kafka).ping()).brokers, 1)
  })

  test('the Kafka that a killed process left behind is stopped, and the next one continues with its data', async () => {
    const program = `
      import pino from 'pino'
      const { startLocalKafka } = await import(${JSON.stringify(join(import.meta.dirname, '../../../deploy/kafka/local-kafka.ts'))})
      const kafka = await startLocalKafka({ stateDir: ${JSON.stringify(stateDir)}, port: 0, heapMb: 256, log: pino({ level: 'silent' }) })
      console.log(kafka.pid)`
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
      cwd: join(import.meta.dirname, '../../..'),
      stdio: ['ignore', 'pipe', 'inherit']
    })
    const [output] = (await once(parent.stdout, 'data')) as [Buffer]
    const leftBehind = Number(output)
    parent.kill('SIGKILL')
    await once(parent, 'exit')
    assert.ok(isAlive(leftBehind))
    assert.notEqual(await findLocalBrokers(stateDir), undefined)
    const kafka = await start()
    assert.notEqual(kafka.pid, leftBehind)
    assert.equal(isAlive(leftBehind), false)
  })

  test('listens on loopback only', async () => {
    const kafka = await start()
    const sockets = new Set(
      readdirSync(`/proc/${kafka.pid}/fd`).map((fd) => {
        try {
          return /socket:\[(\d+)\]/.exec(readlinkSync(`/proc/${kafka.pid}/fd/${fd}`))?.[1]
        } catch {
          return undefined
        }
      })
    )
    const listening = '0A'
    const addresses = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) =>
      readFileSync(path, 'utf8')
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .filter((fields) => fields[3] === listening && sockets.has(fields[9]))
        .map((fields) => fields[1]?.split(':')[0] ?? '')
    )
    assert.equal(addresses.length, 2)
    // Java listens on IPv6 sockets, where 127.0.0.1 is ::ffff:127.0.0.1.
    for (const address of addresses) assert.match(address, /^(0100007F|0000000000000000FFFF00000100007F)$/)
  })
})

test('without Java the error says what to install', async () => {
  const { PATH } = process.env
  process.env['PATH'] = '/nonexistent'
  try {
    const options = { stateDir: '/nonexistent', port: 0, heapMb: 256, log: testLog }
    await assert.rejects(startLocalKafka(options), (error) => {
      assert.ok(error instanceof RingsideError)
      assert.equal(error.code, 'OS')
      assert.match(
        error.message,
        /^the local Kafka needs Java 17 or newer, and java is missing: .*openjdk-17-jre-headless/
      )
      return true
    })
  } finally {
    process.env['PATH'] = PATH
  }
})
