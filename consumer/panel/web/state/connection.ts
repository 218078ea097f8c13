// The connection to the service: fetches the session, opens the WebSocket, and reconnects until it succeeds.
import { liveProtocol, paths, type ServerMessage, type Session, tokenProtocol, type Watch } from '../../protocol.ts'
import { reconnectDelayMs } from './reconnect-delay.ts'

export type ConnectionState =
  | { readonly is: 'connecting' }
  | { readonly is: 'open' }
  /** The service did not respond, or closed the socket with this reason. The next attempt is at untilMs. */
  | { readonly is: 'waiting'; readonly untilMs: number; readonly reason: string }
  /** The service requires a token. wasGiven: it refused the token of this page. */
  | { readonly is: 'refused'; readonly wasGiven: boolean }

export interface ConnectionOptions {
  token(): string | null
  onState(state: ConnectionState): void
  onOpen(session: Session): void
  onMessage(message: ServerMessage): void
}

export const bearer = (token: string | null): Record<string, string> =>
  token === null ? {} : { authorization: `Bearer ${token}` }

/** A service without a response after this time counts as down. */
const sessionTimeoutMs = 5_000
/** A connection that is closed earlier counts as refused: the next attempt waits longer. */
const steadyMs = 5_000

const fetchSession = async (token: string | null): Promise<Session> => {
  const response = await fetch(paths.session, { headers: bearer(token), signal: AbortSignal.timeout(sessionTimeoutMs) })
  if (!response.ok) throw new Error(`${paths.session} returned status ${response.status}`)
  return (await response.json()) as Session
}

export class Connection {
  readonly #options: ConnectionOptions
  #socket: WebSocket | undefined
  #attempt = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  /** Connects at once, without waiting for the next attempt. */
  async connect(): Promise<void> {
    clearTimeout(this.#timer)
    const token = this.#options.token()
    this.#options.onState({ is: 'connecting' })
    try {
      const session = await fetchSession(token)
      if (session.refused) this.#options.onState({ is: 'refused', wasGiven: token !== null })
      else this.#open(token, session)
    } catch {
      this.#wait('')
    }
  }

  send(watch: Watch): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(watch))
  }

  #open(token: string | null, session: Session): void {
    const url = new URL(paths.live, location.href)
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'
    const socket = new WebSocket(url, token === null ? [liveProtocol] : [liveProtocol, tokenProtocol(token)])
    this.#socket = socket
    let openedMs = Number.POSITIVE_INFINITY
    socket.onopen = () => {
      openedMs = performance.now()
      this.#options.onState({ is: 'open' })
      this.#options.onOpen(session)
    }
    socket.onmessage = ({ data }) => this.#options.onMessage(JSON.parse(String(data)) as ServerMessage)
    socket.onclose = ({ reason }) => {
      if (performance.now() - openedMs > steadyMs) this.#attempt = 0
      this.#wait(reason)
    }
  }

  #wait(reason: string): void {
    const delayMs = reconnectDelayMs(this.#attempt++, Math.random())
    this.#options.onState({ is: 'waiting', untilMs: Date.now() + delayMs, reason })
    this.#timer = setTimeout(() => void this.connect(), delayMs)
  }
}
