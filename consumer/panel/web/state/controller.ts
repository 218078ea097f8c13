// The page's one controller: the model, the connection that feeds it, the address that the view is in, and the audit
// search. Components are told of changes at most once a frame, and never while the tab is hidden.
import type { AuditAnswer, ServerMessage } from '../../protocol.ts'
import { paths } from '../../protocol.ts'
import { problemOf, queryOf, queryString, resolvedForm } from './audit-query.ts'
import { bearer, Connection, type ConnectionState } from './connection.ts'
import { Model } from './model.ts'
import { type AuditForm, readView, type View, writeView } from './view.ts'

export type AuditState =
  | { readonly is: 'searching' }
  | { readonly is: 'answered'; readonly answer: AuditAnswer }
  | { readonly is: 'failed'; readonly message: string }

const tokenKey = 'ringside.token'

export class Controller {
  readonly model = new Model(readView(location.search))
  connection: ConnectionState = { is: 'connecting' }
  audit: AuditState | undefined
  readonly #connection: Connection
  readonly #listeners = new Set<() => void>()
  #isFrameAsked = false
  #lostMs: number | undefined
  #search: AbortController | undefined

  constructor() {
    this.#connection = new Connection({
      token: () => sessionStorage.getItem(tokenKey),
      onState: (state) => {
        if (this.connection.is === 'open') this.#lostMs = Date.now()
        this.connection = state
        this.changed()
      },
      onOpen: () => {
        if (this.audit === undefined) this.#runSearch()
      },
      onMessage: (message) => this.#receive(message)
    })
    addEventListener('popstate', () => this.#show(readView(location.search)))
    document.addEventListener('visibilitychange', () => this.changed())
    // Ages and the end of the charts move although nothing arrives.
    setInterval(() => this.changed(), 1000)
    void this.#connection.connect()
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  changed(): void {
    if (this.#isFrameAsked || document.hidden) return
    this.#isFrameAsked = true
    requestAnimationFrame(() => {
      this.#isFrameAsked = false
      for (const listener of this.#listeners) listener()
    })
  }

  get view(): View {
    return this.model.view
  }

  /** Where a view is found: for links. */
  address(change: Partial<View>): string {
    return `${location.pathname}${writeView({ ...this.view, ...change })}`
  }

  choose(change: Partial<View>): void {
    const address = this.address(change)
    if (address !== `${location.pathname}${location.search}`) history.pushState(null, '', address)
    this.#show({ ...this.view, ...change })
  }

  /** Stops at this moment, or goes on with what is there now. */
  toggleLive(): void {
    this.choose({ atMs: this.view.atMs === null ? Date.now() : null })
  }

  logIn(token: string): void {
    sessionStorage.setItem(tokenKey, token)
    void this.#connection.connect()
  }

  reconnect(): void {
    void this.#connection.connect()
  }

  dismissAway(): void {
    this.model.away = undefined
    this.changed()
  }

  #show(view: View): void {
    const before = this.view
    this.model.view = view
    const isSame =
      JSON.stringify(view.filter) === JSON.stringify(before.filter) &&
      view.range === before.range &&
      view.atMs === before.atMs &&
      view.by === before.by
    if (!isSame) this.#connection.send(this.model.watch(Date.now()))
    if (JSON.stringify(view.audit) !== JSON.stringify(before.audit)) this.#runSearch()
    this.changed()
  }

  #receive(message: ServerMessage): void {
    const now = Date.now()
    this.model.receive(message, now)
    if (message.type === 'hello') {
      this.#connection.send(
        this.#lostMs === undefined ? this.model.watch(now) : this.model.watchAgain(now, this.#lostMs)
      )
      this.#lostMs = undefined
    }
    this.changed()
  }

  /** Searches for what the fields say; what they leave open becomes part of the address. */
  searchAudit(form: AuditForm): void {
    this.#search?.abort()
    this.audit = undefined
    const audit = resolvedForm(form, this.model.shown(Date.now()))
    if (JSON.stringify(audit) === JSON.stringify(this.view.audit)) this.#runSearch()
    else this.choose({ audit })
  }

  #runSearch(): void {
    const form = this.view.audit
    this.#search?.abort()
    this.#search = new AbortController()
    this.audit = undefined
    if (form !== null) void this.#askAudit(resolvedForm(form, this.model.shown(Date.now())), this.#search.signal)
    this.changed()
  }

  async #askAudit(form: AuditForm, signal: AbortSignal): Promise<void> {
    const show = (state: AuditState): void => {
      if (signal.aborted) return
      this.audit = state
      this.changed()
    }
    const problem = problemOf(form)
    if (problem !== undefined) return show({ is: 'failed', message: problem })
    show({ is: 'searching' })
    try {
      const headers = bearer(sessionStorage.getItem(tokenKey))
      const answer = await fetch(`${paths.audit}?${queryString(queryOf(form))}`, { headers, signal })
      if (answer.ok) return show({ is: 'answered', answer: (await answer.json()) as AuditAnswer })
      show({ is: 'failed', message: `The service refused this search: ${await answer.text()}` })
    } catch {
      show({ is: 'failed', message: 'The service did not answer. Search again when the page is connected.' })
    }
  }
}
