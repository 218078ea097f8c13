// Outputs of handlers in; encoded and keyed messages by topic out, for the next transaction.
import { RingsideError } from '../../runtime/errors.ts'
import type { Message } from '../../wire/client.ts'
import { encode } from '../../wire/codec.ts'
import { alertKey, auditKey, hostStatusKey, rollupKey, topicName } from '../../wire/topics.ts'
import type { Output } from '../handler.ts'

/** Kinds of published records. A later revision of an alert is an alertUpdate. */
export type OutputKind = 'rollups' | 'hosts' | 'alerts' | 'alertUpdates' | 'audit' | 'other' | 'deadletters'

interface Addressed {
  readonly kind: OutputKind
  readonly topic: string
  readonly message: Message
}

const toBytes = (value: unknown): Buffer =>
  value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(JSON.stringify(value))

const address = (output: Output, topicPrefix: string): Addressed => {
  const to = (kind: 'rollups' | 'hosts' | 'alerts' | 'audit', key: string, value: Buffer): Addressed => ({
    kind,
    topic: topicName({ topicPrefix }, kind),
    message: { key, value }
  })
  switch (output?.to) {
    case 'rollups':
      return to('rollups', rollupKey(output.value), encode('Rollup', output.value))
    case 'hosts':
      return to('hosts', hostStatusKey(output.value), encode('HostStatus', output.value))
    case 'alerts':
      return {
        ...to('alerts', alertKey(output.value), encode('Alert', output.value)),
        kind: output.value.revision === 1 ? 'alerts' : 'alertUpdates'
      }
    case 'audit':
      return to('audit', auditKey(output.value), encode('AuditRecord', output.value))
    case 'topic':
      return { kind: 'other', topic: output.topic, message: { key: output.key, value: toBytes(output.value) } }
    default:
      // Only a handler in JavaScript, without a compiler's check, can return this.
      throw new RingsideError(
        'DATA',
        `the handler returned an output to ${JSON.stringify((output as { to?: unknown } | undefined)?.to)}: set "to" to rollups, hosts, alerts, audit or topic`
      )
  }
}

export class Outbox {
  readonly messages = new Map<string, Message[]>()
  readonly counts = new Map<OutputKind, number>()
  readonly #topicPrefix: string
  #size = 0

  constructor(topicPrefix: string) {
    this.#topicPrefix = topicPrefix
  }

  get size(): number {
    return this.#size
  }

  /**
   * Adds all outputs of one batch, or none.
   * @throws the error of the handler's iterable; RingsideError SOFTWARE for a value that does not fit its schema, DATA for
   *   a value that is no output
   */
  addAll(outputs: Iterable<Output>): void {
    if (typeof outputs?.[Symbol.iterator] !== 'function') {
      throw new RingsideError(
        'DATA',
        `the handler returned ${typeof outputs}: return an iterable of outputs, [] for none`
      )
    }
    for (const addressed of Array.from(outputs, (output) => address(output, this.#topicPrefix))) this.#add(addressed)
  }

  addDeadLetter(message: Message): void {
    this.#add({ kind: 'deadletters', topic: topicName({ topicPrefix: this.#topicPrefix }, 'deadletter'), message })
  }

  #add({ kind, topic, message }: Addressed): void {
    const messages = this.messages.get(topic)
    if (messages === undefined) this.messages.set(topic, [message])
    else messages.push(message)
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
    this.#size += 1
  }
}
