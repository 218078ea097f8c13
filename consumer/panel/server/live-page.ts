// One open page: its WebSocket, its watch, and the change numbers up to which it has been sent. Nothing is queued: a
// slow page skips updates until its socket has room, and then gets the newest state.
import { z } from 'zod'
import type { ServerMessage, Watch } from '../protocol.ts'
import type { Store } from '../state/store.ts'

/** The part of a WebSocket of the package ws that the panel uses. */
export interface PageSocket {
  readonly bufferedAmount: number
  send(text: string): void
  ping(): void
  close(code: number, reason: string): void
  terminate(): void
  on(event: 'message', listener: (data: { toString(): string }, isBinary: boolean) => void): unknown
  on(event: 'close' | 'pong', listener: () => void): unknown
}

/** Codes of RFC 6455, section 7.4.1. */
export const closeCodes = { goingAway: 1001, policyViolation: 1008, tryAgainLater: 1013 } as const

const topEveryMs = 1000
const pingEveryMs = 30_000
const alertsAtFirst = 100
/** A page sends one message per choice of its user. */
const maxMessagesPerTick = 20

const maxNameLength = 4096
const name = z.string().max(maxNameLength).optional()
const watchSchema = z.strictObject({
  type: z.literal('watch'),
  filter: z.strictObject({ host: name, workload: name, call: name }),
  windowMs: z.number(),
  fromMs: z.number(),
  top: z.enum(['process', 'workload', 'go_function', 'call'])
})

export class LivePage {
  readonly #socket: PageSocket
  readonly #store: Store
  #watch: Watch | undefined
  /** Change number up to which everything outside of the watch has been sent. */
  #sent = -1
  /** The same for points and top of the watch; a new watch starts from the beginning. */
  #sentPoints = -1
  #sentTop = -1
  #topAtMs = Number.NEGATIVE_INFINITY
  #names = ''
  #messagesInTick = 0
  #slowSinceMs: number | undefined
  #pingedAtMs = performance.now()
  #isAlive = true
  /** Messages sent. */
  sent = 0

  /** @param onWatch called after each new watch */
  constructor(socket: PageSocket, store: Store, onWatch: () => void) {
    this.#socket = socket
    this.#store = store
    socket.on('pong', () => {
      this.#isAlive = true
    })
    socket.on('message', (data, isBinary) => {
      if (this.#receive(isBinary ? '' : data.toString())) onWatch()
    })
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount
  }

  /** Milliseconds since the socket had more to send than `maxBufferedBytes`; undefined when it has room. */
  slowMs(maxBufferedBytes: number): number | undefined {
    if (this.bufferedBytes <= maxBufferedBytes) {
      this.#slowSinceMs = undefined
      return undefined
    }
    this.#slowSinceMs ??= performance.now()
    return performance.now() - this.#slowSinceMs
  }

  /** Call once a second: resets the message limit, and sends pings. */
  tick(): void {
    this.#messagesInTick = 0
    if (performance.now() - this.#pingedAtMs < pingEveryMs) return
    if (!this.#isAlive) this.terminate()
    this.#isAlive = false
    this.#pingedAtMs = performance.now()
    this.#socket.ping()
  }

  /** @param names the message `names` as text, the same for all pages */
  sendChanges(names: string): void {
    const { change } = this.#store
    if (this.#sent < change) {
      const maxAlerts = this.#sent < 0 ? alertsAtFirst : Number.POSITIVE_INFINITY
      for (const message of this.#store.changesAfter(this.#sent, maxAlerts)) this.send(message)
      this.#sent = change
    }
    if (this.#names !== names) {
      this.#names = names
      this.#sendText(names)
    }
    if (this.#watch !== undefined) this.#sendWatched(this.#watch)
  }

  send(message: ServerMessage): void {
    this.#sendText(JSON.stringify(message))
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason)
  }

  /** Ends the connection without a close frame, which would wait behind the buffered data. */
  terminate(): void {
    this.#socket.terminate()
  }

  /** @returns true for a new watch */
  #receive(text: string): boolean {
    this.#messagesInTick += 1
    if (this.#messagesInTick > maxMessagesPerTick) {
      this.close(closeCodes.policyViolation, `more than ${maxMessagesPerTick} messages a second`)
      return false
    }
    const watch = this.#parseWatch(text)
    if (watch === undefined) {
      this.close(closeCodes.policyViolation, 'unknown message: reload the page')
      return false
    }
    this.#watch = watch
    this.#sentPoints = -1
    this.#sentTop = -1
    this.#topAtMs = Number.NEGATIVE_INFINITY
    return true
  }

  #parseWatch(text: string): Watch | undefined {
    try {
      const watch = watchSchema.parse(JSON.parse(text)) as Watch
      return this.#store.windowsMs.includes(watch.windowMs) ? watch : undefined
    } catch {
      return undefined
    }
  }

  #sendWatched(watch: Watch): void {
    const { change } = this.#store
    const whole = this.#sentPoints < 0
    if (whole || this.#sentPoints < change) {
      const points = this.#store.points(watch, this.#sentPoints)
      if (whole || points.length > 0) this.send({ type: 'points', whole, points })
      this.#sentPoints = change
    }
    if (this.#sentTop < change && performance.now() - this.#topAtMs >= topEveryMs) {
      this.send({ type: 'top', by: watch.top, ...this.#store.top(watch.top, watch.filter) })
      this.#sentTop = change
      this.#topAtMs = performance.now()
    }
  }

  #sendText(text: string): void {
    this.#socket.send(text)
    this.sent += 1
  }
}
