// Clients of an HTTP server that send a part of a header, and then nothing.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** Opens them one after the other; they are closed with the test. */
export const openHalf = async (context: TestContext, url: string, count: number): Promise<Socket[]> => {
  const { hostname, port } = new URL(url)
  const sockets: Socket[] = []
  context.after(() => {
    for (const socket of sockets) socket.destroy()
  })
  for (let i = 0; i < count; i++) {
    const socket = connect(Number(port), hostname).on('error', () => {})
    sockets.push(socket)
    await once(socket, 'connect')
    socket.write('GET / HTTP/1.1\r\nhost: localhost\r\nx-half: ')
  }
  return sockets
}
