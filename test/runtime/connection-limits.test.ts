import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { limitConnections, timeouts } from '../../runtime/connection-limits.ts'
import { eventually } from '../support/ringside.ts'

const start = async (t: TestContext, max: number, answer: RequestListener = (_, response) => response.end('yes')) => {
  const server = createServer({ ...timeouts, headersTimeout: 500, connectionsCheckingInterval: 100 }, answer)
  limitConnections(server, max)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const open = async (text: string, localAddress = '127.0.0.1'): Promise<Socket> => {
    const socket = connect({ port, host: '127.0.0.1', localAddress }).on('error', () => {})
    t.after(() => socket.destroy())
    await once(socket, 'connect')
    if (text !== '') socket.write(text)
    return socket
  }
  return { url: `http://127.0.0.1:${port}/`, open }
}

const half = 'GET / HTTP/1.1\r\nhost: x'
const whole = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'

test('any number of clients with half a header keep nobody out, and are closed', async (t) => {
  const { url, open } = await start(t, 32)
  const idle: Socket[] = []
  for (let i = 0; i < 100; i++) idle.push((await open(half)).resume())
  for (let i = 0; i < 5; i++) assert.equal(await (await fetch(url)).text(), 'yes')
  await eventually('their end', 30, () => idle.every(({ closed }) => closed) || undefined)
})

test('the connection that has been idle longest is closed, and none with a request', async (t) => {
  const waiting: ServerResponse[] = []
  const { open } = await start(t, 8, (_, response) => waiting.push(response))
  const busy = [await open(whole), await open(whole), await open(whole)]
  await eventually('requests', 30, () => waiting.length === 3 || undefined)
  const first = (await open('')).resume()
  const second = await open('')
  await eventually('its end', 30, () => first.closed || undefined)
  assert.equal(second.closed, false)
  for (const response of waiting) response.end('late')
  for (const socket of busy) assert.match(String(await once(socket, 'data')), /late/)
})

test('one address has half of the connections at most', async (t) => {
  let requests = 0
  const { open } = await start(t, 8, () => {
    requests += 1
  })
  const other = await open('', '127.0.0.2')
  const held = []
  for (let i = 0; i < 4; i++) held.push(await open(whole))
  await eventually('requests', 30, () => requests === 4 || undefined)
  const refused = (await open(whole)).resume()
  await eventually('its end', 30, () => refused.closed || undefined)
  assert.equal(other.closed, false)
  assert.deepEqual(
    held.map((socket) => socket.closed),
    [false, false, false, false]
  )
})
