// The connection to the service: asks for the session, opens the WebSocket, and tries again for as long as it takes.
import { liveProtocol, paths, type ServerMessage, type Session, tokenProtocol, type Watch } from '../../protocol.ts'
import { reconnectDelayMs } from './reconnect-delay.ts'

export type ConnectionState =
  | { readonly is: 'connecting' }
  | { readonly is: 'open' }
  /** The service did not answer, or closed with a reason for a person: tried again at untilMs. */
  | { readonly is: 'waiting'; readonly untilMs: number; readonly reason: string }
  /** It wants a token, and this one is not it; wasGiven: there was one. */
  | { readonly is: 'refused'; readonly wasGiven: boolean }

export interface ConnectionOptions {
  token(): string | null
  onState(state: ConnectionState): void
  onOpen(session: Session): void
  onMessage(message: ServerMessage): void
}

export const bearer = (token: string | null): Record<string, string> =>
  token === null ? {} : { authorization: `Bearer ${token}` }

/** A service that does not answer a question as small as this one is away. */
const sessionTimeoutMs = 5_000
/** A connection that is closed sooner was refused: the next attempt waits longer. */
const steadyMs = 5_000

const askSession = async (token: string | null): Promise<Session> => {
  const answer = await fetch(paths.session, { headers: bearer(token), signal: AbortSignal.timeout(sessionTimeoutMs) })
  if (!answer.ok) throw new Error(`${paths.session} answered ${answer.status}`)
  return (await answer.json()) as Session
}

export class Connection {
  readonly #options: ConnectionOptions
  #socket: WebSocket | undefined
  #attempt = 0
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  /** Connects now, whatever it was waiting for. */
  async connect(): Promise<void> {
    clearTimeout(this.#timer)
    const token = this.#options.token()
    this.#options.onState({ is: 'connecting' })
    try {
      const session = await askSession(token)
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
