// The page's controller: connects model, connection, the view in the page's address, and audit search. Components are
// notified of changes at most once per frame, and not while the tab is hidden.
import type { AuditAnswer, ServerMessage } from '../../protocol.ts'
import { paths } from '../../protocol.ts'
import { problemOf, queryOf, queryString, resolvedForm } from './audit-query.ts'
import { bearer, Connection, type ConnectionState } from './connection.ts'
import { FrameListeners } from './frame-listeners.ts'
import { Model } from './model.ts'
import { type AuditForm, readView, type View, writeView } from './view.ts'

export type AuditState =
  | { readonly is: 'searching' }
  | { readonly is: 'answered'; readonly answer: AuditAnswer }
  | { readonly is: 'failed'; readonly message: string }

const tokenKey = 'ringside.token'

export class Controller {
  readonly model = new Model(readView(location.search))
  connectionState: ConnectionState = { is: 'connecting' }
  audit: AuditState | undefined
  readonly #connection: Connection
  readonly #listeners = new FrameListeners()
  #disconnectedMs: number | undefined
  #search: AbortController | undefined

  constructor() {
    this.#connection = new Connection({
      token: () => sessionStorage.getItem(tokenKey),
      onState: (state) => {
        if (this.connectionState.is === 'open') this.#disconnectedMs = Date.now()
        this.connectionState = state
        this.changed()
      },
      onOpen: () => {
        if (this.audit === undefined) this.#runSearch()
      },
      onMessage: (message) => this.#receive(message)
    })
    addEventListener('popstate', () => this.#show(readView(location.search)))
    document.addEventListener('visibilitychange', () => this.changed())
    // Ages and the end of the charts also move without new data.
    setInterval(() => this.changed(), 1000)
    void this.#connection.connect()
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  /** Call after each change of the data that components show. */
  changed(): void {
    if (!document.hidden) this.#listeners.notify()
  }

  get view(): View {
    return this.model.view
  }

  /** The address of the current view with a change: for links. */
  address(change: Partial<View>): string {
    return `${location.pathname}${writeView({ ...this.view, ...change })}`
  }

  choose(change: Partial<View>): void {
    const address = this.address(change)
    if (address !== `${location.pathname}${location.search}`) history.pushState(null, '', address)
    this.#show({ ...this.view, ...change })
  }

  /** Pauses at the current time, or continues live. */
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

  dismissOutage(): void {
    this.model.outage = undefined
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
        this.#disconnectedMs === undefined
          ? this.model.watch(now)
          : this.model.watchAfterReconnect(now, this.#disconnectedMs)
      )
      this.#disconnectedMs = undefined
    }
    this.changed()
  }

  /** Searches with the fields of the form. The address gets their values, with absolute times. */
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
    if (form !== null) void this.#fetchAudit(resolvedForm(form, this.model.shown(Date.now())), this.#search.signal)
    this.changed()
  }

  async #fetchAudit(form: AuditForm, signal: AbortSignal): Promise<void> {
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
      const response = await fetch(`${paths.audit}?${queryString(queryOf(form))}`, { headers, signal })
      if (response.ok) return show({ is: 'answered', answer: (await response.json()) as AuditAnswer })
      show({ is: 'failed', message: `Search failed: ${await response.text()}` })
    } catch {
      show({ is: 'failed', message: 'The service does not respond. Search again once the page is connected.' })
    }
  }
}
