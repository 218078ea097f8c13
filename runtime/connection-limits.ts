// Bounds on the connections of an HTTP server, in time and in number, so that clients that send nothing keep nobody else
// out: where there is no room, the connection that has been idle longest makes it.
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** For createServer(). A client sends its header and reads its answer within a second; the rest is for slow networks. */
export const timeouts = {
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000
} as const satisfies ServerOptions

/** A connection without any data for this time is closed, such as one whose client does not read its answer. */
const silentMs = 60_000

interface Connection {
  readonly address: string
  /** Requests that are not answered yet; a WebSocket counts as one. */
  requests: number
}

class Connections {
  readonly #max: number
  readonly #maxOfAddress: number
  /** The one that has been idle longest is first. */
  readonly #open = new Map<Socket, Connection>()

  constructor(max: number) {
    this.#max = max
    this.#maxOfAddress = Math.ceil(max / 2)
  }

  add(socket: Socket): void {
    const address = socket.remoteAddress ?? ''
    const isOfAddress = (connection: Connection): boolean => connection.address === address
    const ofAddress = [...this.#open.values()].filter(isOfAddress).length
    const isFull = ofAddress >= this.#maxOfAddress || this.#open.size >= this.#max
    if (isFull && !this.#closeIdle(ofAddress >= this.#maxOfAddress ? isOfAddress : () => true)) {
      socket.destroy()
      return
    }
    this.#open.set(socket, { address, requests: 0 })
    socket.once('close', () => this.#open.delete(socket))
  }

  begin(socket: Socket): void {
    const connection = this.#open.get(socket)
    if (connection !== undefined) connection.requests += 1
  }

  end(socket: Socket): void {
    const connection = this.#open.get(socket)
    if (connection === undefined) return
    connection.requests -= 1
    this.#open.delete(socket)
    this.#open.set(socket, connection)
  }

  /** @returns false when every connection has a request */
  #closeIdle(mayClose: (connection: Connection) => boolean): boolean {
    for (const [socket, connection] of this.#open) {
      if (connection.requests > 0 || !mayClose(connection)) continue
      this.#open.delete(socket)
      socket.destroy()
      return true
    }
    return false
  }
}

/** @param max connections of all clients; one address has half of them at most */
export const limitConnections = (server: Server, max: number): void => {
  const connections = new Connections(max)
  server.timeout = silentMs
  server.on('connection', (socket) => connections.add(socket))
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    connections.begin(socket)
    response.once('close', () => connections.end(socket))
  })
  server.on('upgrade', ({ socket }: IncomingMessage) => connections.begin(socket))
}
