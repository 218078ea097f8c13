// Ports of loopback for servers that start later, or more than once.
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where the kernel begins to assign ports by itself: none of those stays free until a server starts. */
const [firstAssigned = 32_768] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/).map(Number)
const count = 10_000
const first = firstAssigned > count + 1024 ? firstAssigned - count : 1024

/** Test files run side by side: a file in the temporary folder keeps a port for this process. */
const reserve = (port: number): boolean => {
  const path = join(tmpdir(), `ringside-port-${port}`)
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' })
  } catch {
    return false
  }
  process.once('exit', () => rmSync(path, { force: true }))
  return true
}

const isFree = async (port: number): Promise<boolean> => {
  const server = createServer()
  const listening = once(server, 'listening').then(
    () => true,
    () => false
  )
  server.listen(port, '127.0.0.1')
  const result = await listening
  server.close()
  return result
}

/** A port that no other test uses while this process runs. */
export const freePort = async (): Promise<number> => {
  for (;;) {
    const port = first + Math.floor(Math.random() * count)
    if (reserve(port) && (await isFree(port))) return port
  }
}
