// The pages that are open: each says what it looks at and is sent what changed since it was last sent anything. A page
// that does not take it is left out until it does, and then has the newest of all; nothing is queued for it.
import { z } from 'zod'
import type { Log } from '../../../runtime/log.ts'
import type { ServerMessage, Watch } from '../protocol.ts'
import type { Store } from '../state/store.ts'

/** What is asked of a WebSocket: those of the package ws have it. */
export interface PageSocket {
  readonly bufferedAmount: number
  send(text: string): void
  ping(): void
  close(code: number, reason: string): void
  terminate(): void
  on(event: 'message', listener: (data: { toString(): string }, isBinary: boolean) => void): unknown
  on(event: 'close' | 'pong', listener: () => void): unknown
}

export interface LivePagesOptions {
  readonly store: Store
  readonly version: string
  readonly log: Log
  /** A page that has more than this still to take is left out; an update is seldom above 100 kB. */
  readonly maxBufferedBytes?: number
  /** One that takes nothing for so long is let go: it connects again when it is awake. */
  readonly patienceMs?: number
  readonly maxSockets?: number
}

/** Rows of one moment come in a burst. */
const settleMs = 20
const updateEveryMs = 200
const tickMs = 1000
const namesEveryMs = 3000
const pingEveryMs = 30_000
const alertsAtFirst = 100
/** A page sends a watch when somebody chooses something. */
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

/** Codes of RFC 6455, section 7.4.1. */
const closes = { goingAway: 1001, wrong: 1008, tryLater: 1013 } as const

interface Page {
  readonly socket: PageSocket
  watch: Watch | undefined
  /** Number of the last change that it was sent; of the watch apart: a new one is sent all. */
  sent: number
  sentOfWatch: number
  topChange: number
  topAtMs: number
  names: string
  messagesInTick: number
  behindSinceMs: number | undefined
  pingedAtMs: number
  isAlive: boolean
}

export class LivePages {
  readonly #options: Required<LivePagesOptions>
  readonly #pages = new Set<Page>()
  readonly #stopListening: () => void
  readonly #ticking: NodeJS.Timeout
  #updating: NodeJS.Timeout | undefined
  #updatedAtMs = 0
  #names = ''
  #namesAtMs = Number.NEGATIVE_INFINITY
  /** Messages that were handed to sockets. */
  sent = 0
  /** Updates that a page was left out of. */
  skipped = 0

  constructor(options: LivePagesOptions) {
    this.#options = { maxBufferedBytes: 1 << 20, patienceMs: 60_000, maxSockets: 64, ...options }
    this.#stopListening = options.store.onChange(() => this.#soon())
    this.#ticking = setInterval(() => this.#tick(), tickMs)
  }

  get sockets(): number {
    return this.#pages.size
  }

  add(socket: PageSocket): void {
    const { store, version, maxSockets } = this.#options
    if (this.#pages.size >= maxSockets) {
      socket.close(closes.tryLater, `${maxSockets} pages are open already: close one`)
      return
    }
    const nowMs = performance.now()
    const page: Page = {
      socket,
      watch: undefined,
      sent: -1,
      sentOfWatch: -1,
      topChange: -1,
      topAtMs: Number.NEGATIVE_INFINITY,
      names: '',
      messagesInTick: 0,
      behindSinceMs: undefined,
      pingedAtMs: nowMs,
      isAlive: true
    }
    this.#pages.add(page)
    socket.on('close', () => this.#pages.delete(page))
    socket.on('pong', () => {
      page.isAlive = true
    })
    socket.on('message', (data, isBinary) => this.#onMessage(page, data.toString(), isBinary))
    this.#send(page, { type: 'hello', version, windowsMs: store.windowsMs, keptMs: store.keptMs })
    this.#soon()
  }

  close(): void {
    this.#stopListening()
    clearInterval(this.#ticking)
    clearTimeout(this.#updating)
    for (const { socket } of this.#pages) socket.close(closes.goingAway, 'the panel stops')
  }

  #onMessage(page: Page, text: string, isBinary: boolean): void {
    page.messagesInTick += 1
    if (page.messagesInTick > maxMessagesPerTick) {
      page.socket.close(closes.wrong, `more than ${maxMessagesPerTick} messages a second`)
      return
    }
    const watch = isBinary ? undefined : this.#watchOf(text)
    if (watch === undefined) {
      page.socket.close(closes.wrong, 'not a message that this version of the panel knows: load the page again')
      return
    }
    page.watch = watch
    page.sentOfWatch = -1
    page.topChange = -1
    page.topAtMs = Number.NEGATIVE_INFINITY
    this.#soon()
  }

  #watchOf(text: string): Watch | undefined {
    try {
      const watch = watchSchema.parse(JSON.parse(text)) as Watch
      return this.#options.store.windowsMs.includes(watch.windowMs) ? watch : undefined
    } catch {
      return undefined
    }
  }

  #soon(): void {
    if (this.#updating !== undefined || this.#pages.size === 0) return
    const waitMs = Math.max(settleMs, this.#updatedAtMs + updateEveryMs - performance.now())
    this.#updating = setTimeout(() => this.#update(), waitMs)
  }

  #update(): void {
    clearTimeout(this.#updating)
    this.#updating = undefined
    this.#updatedAtMs = performance.now()
    for (const page of this.#pages) if (this.#takes(page)) this.#sendNews(page)
  }

  /** What needs no change to be sent: names, pings; and pages that were behind. */
  #tick(): void {
    const nowMs = performance.now()
    for (const page of this.#pages) {
      page.messagesInTick = 0
      if (nowMs - page.pingedAtMs < pingEveryMs) continue
      if (!page.isAlive) page.socket.terminate()
      page.isAlive = false
      page.pingedAtMs = nowMs
      page.socket.ping()
    }
    this.#soon()
  }

  #takes(page: Page): boolean {
    const { maxBufferedBytes, patienceMs, log } = this.#options
    if (page.socket.bufferedAmount <= maxBufferedBytes) {
      page.behindSinceMs = undefined
      return true
    }
    this.skipped += 1
    page.behindSinceMs ??= performance.now()
    if (performance.now() - page.behindSinceMs > patienceMs) {
      log.info({ bufferedBytes: page.socket.bufferedAmount }, 'a page that takes nothing is let go')
      // Its close frame would wait behind all that it does not take.
      page.socket.terminate()
      this.#pages.delete(page)
    }
    return false
  }

  #sendNews(page: Page): void {
    const { store } = this.#options
    const { change } = store
    if (page.sent < change) {
      for (const message of store.news(page.sent, page.sent < 0 ? alertsAtFirst : Number.POSITIVE_INFINITY)) {
        this.#send(page, message)
      }
      page.sent = change
    }
    this.#sendNames(page)
    if (page.watch !== undefined) this.#sendWatched(page, page.watch)
  }

  #sendWatched(page: Page, watch: Watch): void {
    const { store } = this.#options
    const { change } = store
    const whole = page.sentOfWatch < 0
    if (whole || page.sentOfWatch < change) {
      const points = store.points(watch, page.sentOfWatch)
      if (whole || points.length > 0) this.#send(page, { type: 'points', whole, points })
      page.sentOfWatch = change
    }
    if (page.topChange < change && performance.now() - page.topAtMs >= tickMs) {
      this.#send(page, { type: 'top', by: watch.top, ...store.top(watch.top, watch.filter) })
      page.topChange = change
      page.topAtMs = performance.now()
    }
  }

  /** The same for all pages: what can be chosen changes seldom, and is found by looking at everything. */
  #sendNames(page: Page): void {
    if (performance.now() - this.#namesAtMs >= namesEveryMs) {
      this.#namesAtMs = performance.now()
      this.#names = JSON.stringify(this.#options.store.names())
    }
    if (page.names === this.#names) return
    page.names = this.#names
    this.#sendText(page, this.#names)
  }

  #send(page: Page, message: ServerMessage): void {
    this.#sendText(page, JSON.stringify(message))
  }

  #sendText(page: Page, text: string): void {
    page.socket.send(text)
    this.sent += 1
  }
}
