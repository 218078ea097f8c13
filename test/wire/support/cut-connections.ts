// Cuts a connection to a broker at a request of a given kind, once: before it is sent, or when its answer arrives.

import net, { type Socket } from 'node:net'
import { mock } from 'node:test'

/** https://kafka.apache.org/protocol#protocol_api_keys */
const apiKeys = { Produce: 0, Metadata: 3, AddPartitionsToTxn: 24, EndTxn: 26 } as const

const reset = (): Error => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' })

const apiKeyOf = (request: unknown): number | undefined =>
  Buffer.isBuffer(request) && request.length > 6 ? request.readInt16BE(4) : undefined

/**
 * @param nth the request of this kind at which to cut
 * @returns function that restores net.connect and returns true when a connection was cut
 */
export const cutOnce = (api: keyof typeof apiKeys, when: 'before' | 'answer', nth = 1): (() => boolean) => {
  let isCut = false
  let requests = 0
  const { connect } = net
  const connecting = mock.method(net, 'connect', (...args: Parameters<typeof net.createConnection>): Socket => {
    const socket = connect(...args)
    const write = socket.write.bind(socket)
    const cut = (request: unknown): void => {
      isCut = true
      if (when === 'before') return void socket.destroy(reset())
      socket.removeAllListeners('data')
      socket.once('data', () => void socket.destroy(reset()))
      write(request as Buffer)
    }
    const watched = (request: Buffer, ...rest: never[]): boolean => {
      if (isCut || apiKeyOf(request) !== apiKeys[api] || ++requests < nth) return write(request, ...rest)
      cut(request)
      return true
    }
    return Object.assign(socket, { write: watched })
  })
  return () => {
    connecting.mock.restore()
    return isCut
  }
}
