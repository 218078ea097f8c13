// A Kafka that one test file stops, kills and starts again: on the same port, with the same data.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LocalKafka, startLocalKafka } from '../../deploy/kafka/local-kafka.ts'
import type { KafkaClient } from '../../wire/client.ts'
import { createKafkaClient } from '../../wire/kafka.ts'
import { endWithProcess } from './end-with-process.ts'
import { freePort } from './free-port.ts'
import { testLog } from './log.ts'

export class OwnKafka {
  readonly brokers: readonly string[]
  readonly client: KafkaClient
  readonly #port: number
  readonly #stateDir = mkdtempSync(join(tmpdir(), 'ringside-own-kafka-'))
  #running: LocalKafka | undefined

  /** Finds a port; starts nothing. */
  static async prepare(): Promise<OwnKafka> {
    return new OwnKafka(await freePort())
  }

  private constructor(port: number) {
    this.#port = port
    endWithProcess(() => this.killNow())
    this.brokers = [`127.0.0.1:${port}`]
    this.client = createKafkaClient({ brokers: this.brokers, clientId: 'ringside-test', log: testLog })
  }

  get isRunning(): boolean {
    return this.#running !== undefined
  }

  async start(): Promise<void> {
    this.#running = await startLocalKafka({ stateDir: this.#stateDir, port: this.#port, heapMb: 256, log: testLog })
  }

  /** The file of a partition's first messages. While Kafka is stopped it may be replaced. */
  segmentPath(topic: string, partition: number): string {
    return join(this.#stateDir, 'kafka', 'data', `${topic}-${partition}`, `${'0'.repeat(20)}.log`)
  }

  /** Sends SIGKILL, without waiting for the end. */
  killNow(): void {
    try {
      if (this.#running !== undefined) process.kill(this.#running.pid, 'SIGKILL')
    } catch {
      // It has ended.
    }
  }

  async kill(): Promise<void> {
    this.killNow()
    await this.#running?.exited
    this.#running = undefined
  }

  async stop(): Promise<void> {
    await this.#running?.stop()
    this.#running = undefined
  }

  /** Stops it and deletes its data. */
  async remove(): Promise<void> {
    await this.stop()
    rmSync(this.#stateDir, { recursive: true, force: true })
  }
}
