// A client of the panel's WebSocket that keeps all messages.
import { once } from 'node:events'
import { WebSocket } from 'ws'
import {
  liveProtocol,
  type Point,
  paths,
  type ServerMessage,
  tokenProtocol,
  type Watch
} from '../../../../consumer/panel/protocol.ts'
import { eventually } from '../../../support/ringside.ts'

export interface PageOptions {
  readonly token?: string
  readonly headers?: Record<string, string>
  readonly path?: string
}

const socketOf = (url: string, { token, headers = {}, path = paths.live }: PageOptions): WebSocket => {
  const protocols = token === undefined ? [liveProtocol] : [liveProtocol, tokenProtocol(token)]
  return new WebSocket(new URL(path, url.replace(/^http/, 'ws')), protocols, { headers })
}

/** The status code of a refused WebSocket. */
export const refusal = async (url: string, options: PageOptions): Promise<number> => {
  const socket = socketOf(url, options)
  socket.on('error', () => {})
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }]
  socket.terminate()
  return response.statusCode
}

export class Page {
  readonly socket: WebSocket
  readonly messages: ServerMessage[] = []
  /** The newest point of each time. */
  readonly points = new Map<number, Point>()

  private constructor(socket: WebSocket) {
    this.socket = socket
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as ServerMessage
      this.messages.push(message)
      if (message.type === 'points') for (const point of message.points) this.points.set(point.timeMs, point)
    })
  }

  static async open(url: string, options: PageOptions = {}): Promise<Page> {
    const page = new Page(socketOf(url, options))
    await once(page.socket, 'open')
    return page
  }

  watch(watch: Partial<Watch>): void {
    const all: Watch = { type: 'watch', filter: {}, windowMs: 1000, fromMs: 0, top: 'process', ...watch }
    this.socket.send(JSON.stringify(all))
  }

  /** Waits for a message of a type that meets a condition; returns the newest. */
  message<T extends ServerMessage['type']>(
    type: T,
    meets: (message: Extract<ServerMessage, { type: T }>) => boolean = () => true
  ): Promise<Extract<ServerMessage, { type: T }>> {
    const isOfType = (message: ServerMessage): message is Extract<ServerMessage, { type: T }> => message.type === type
    return eventually(`a message of type ${type}`, 60, () => this.messages.filter(isOfType).findLast(meets))
  }

  async close(): Promise<void> {
    this.socket.close()
    await once(this.socket, 'close')
  }
}
