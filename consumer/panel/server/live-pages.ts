// The open pages, and when each is sent the changes of the store: soon after a change, at most five times a second.
import type { Log } from '../../../runtime/log.ts'
import type { Store } from '../state/store.ts'
import { closeCodes, LivePage, type PageSocket } from './live-page.ts'

export interface LivePagesOptions {
  readonly store: Store
  readonly version: string
  readonly log: Log
  /** A page with more unsent data skips updates; an update is seldom above 100 kB. */
  readonly maxBufferedBytes?: number
  /** A page that skips updates for this long is disconnected; it reconnects by itself. */
  readonly maxSlowMs?: number
  readonly maxPages?: number
}

/** Rows of one window arrive in a burst. */
const settleMs = 20
const updateEveryMs = 200
const tickMs = 1000
const namesEveryMs = 3000

export class LivePages {
  readonly #options: Required<LivePagesOptions>
  readonly #pages = new Set<LivePage>()
  readonly #stopListening: () => void
  readonly #ticking: NodeJS.Timeout
  #updating: NodeJS.Timeout | undefined
  #updatedAtMs = 0
  #names = ''
  #namesAtMs = Number.NEGATIVE_INFINITY
  #sentToClosed = 0
  /** Updates skipped for slow pages. */
  skipped = 0

  constructor(options: LivePagesOptions) {
    this.#options = { maxBufferedBytes: 1 << 20, maxSlowMs: 60_000, maxPages: 64, ...options }
    this.#stopListening = options.store.onChange(() => this.#scheduleUpdate())
    this.#ticking = setInterval(() => this.#tick(), tickMs)
  }

  get size(): number {
    return this.#pages.size
  }

  /** Messages sent. */
  get sent(): number {
    return [...this.#pages].reduce((sum, { sent }) => sum + sent, this.#sentToClosed)
  }

  add(socket: PageSocket): void {
    const { store, version, maxPages } = this.#options
    if (this.#pages.size >= maxPages) {
      socket.close(closeCodes.tryAgainLater, `${maxPages} pages are open, the maximum: close one`)
      return
    }
    const page = new LivePage(socket, store, () => this.#scheduleUpdate())
    this.#pages.add(page)
    socket.on('close', () => this.#remove(page))
    page.send({ type: 'hello', version, windowsMs: store.windowsMs, keptMs: store.keptMs })
    this.#scheduleUpdate()
  }

  close(): void {
    this.#stopListening()
    clearInterval(this.#ticking)
    clearTimeout(this.#updating)
    for (const page of this.#pages) page.close(closeCodes.goingAway, 'the panel is stopping')
  }

  #remove(page: LivePage): void {
    if (this.#pages.delete(page)) this.#sentToClosed += page.sent
  }

  #scheduleUpdate(): void {
    if (this.#updating !== undefined || this.#pages.size === 0) return
    const waitMs = Math.max(settleMs, this.#updatedAtMs + updateEveryMs - performance.now())
    this.#updating = setTimeout(() => this.#update(), waitMs)
  }

  #update(): void {
    clearTimeout(this.#updating)
    this.#updating = undefined
    this.#updatedAtMs = performance.now()
    for (const page of this.#pages) if (this.#hasRoom(page)) page.sendChanges(this.#currentNames())
  }

  /** Updates also without a change: names may be due, and slow pages may have room again. */
  #tick(): void {
    for (const page of this.#pages) page.tick()
    this.#scheduleUpdate()
  }

  #hasRoom(page: LivePage): boolean {
    const { maxBufferedBytes, maxSlowMs, log } = this.#options
    const slowMs = page.slowMs(maxBufferedBytes)
    if (slowMs === undefined) return true
    this.skipped += 1
    if (slowMs > maxSlowMs) {
      log.info(
        { bufferedBytes: page.bufferedBytes, slowMs: Math.round(slowMs) },
        'page does not read, disconnecting it'
      )
      page.terminate()
      this.#remove(page)
    }
    return false
  }

  /** Computed for all pages together, as it reads every row. */
  #currentNames(): string {
    if (performance.now() - this.#namesAtMs >= namesEveryMs) {
      this.#namesAtMs = performance.now()
      this.#names = JSON.stringify(this.#options.store.names())
    }
    return this.#names
  }
}
