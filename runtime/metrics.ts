// /metrics over HTTP, as OpenMetrics or in the text format of Prometheus: the families of a service, and what is known of
// every Node process. On loopback unless told otherwise, and beyond it only for who has the token.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, isIPv6 } from 'node:net'
import ringside from '../package.json' with { type: 'json' }
import { messageOf, RingsideError } from './errors.ts'
import { contentTypes, exposition, formatFor } from './exposition.ts'
import { parseListen } from './listen.ts'
import type { Log } from './log.ts'
import type { MetricFamily } from './metric.ts'
import { watchNode } from './node-metrics.ts'
import { hasBearer } from './token.ts'

export interface MetricsOptions {
  /** "PORT" or "HOST:PORT"; port 0 takes any that is free. */
  readonly listen: string
  /** What a bearer must have; undefined: whoever reaches the listener may read. */
  readonly token?: string | undefined
  /** Label `service` of every sample. */
  readonly service: string
  readonly log: Log
}

export interface MetricsListener {
  /** http://127.0.0.1:9464/metrics */
  readonly url: string
  /** From now on these are told as well. */
  serve(families: readonly MetricFamily[]): void
  close(): void
}

/** Beside the families: which Ringside this is. */
export const buildInfo: MetricFamily = {
  name: 'ringside_build_info',
  kind: 'gauge',
  help: 'Always 1; the labels say which Ringside and which Node run.',
  labels: ['version', 'node'],
  samples: () => [{ labels: { version: ringside.version, node: process.versions.node }, value: 1 }]
}

/** More than ever scrape at once. Without a bound, who reaches the port could take every descriptor of the process. */
const maxConnections = 32

const urlOf = (server: Server): string => {
  const { address, port } = server.address() as AddressInfo
  return `http://${isIPv6(address) ? `[${address}]` : address}:${port}/metrics`
}

/**
 * Listens; what is asked for is read then.
 * @throws RingsideError UNAVAILABLE when the address cannot be listened on
 */
export const listenForMetrics = async ({ listen, token, service, log }: MetricsOptions): Promise<MetricsListener> => {
  const node = watchNode()
  const served: MetricFamily[] = [buildInfo]

  const server = createServer(async (request, response) => {
    const answer = (status: number, text: string, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(text)
    }
    if (!hasBearer(request.headers.authorization, token)) {
      answer(401, 'give the token of metrics.token as a bearer\n', { 'www-authenticate': 'Bearer' })
      return
    }
    if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics') {
      answer(404, 'there is only GET /metrics\n')
      return
    }
    try {
      const format = formatFor(request.headers.accept)
      const text = exposition([...served, ...(await node.read())], { service }, format)
      answer(200, text, { 'content-type': contentTypes[format], vary: 'accept' })
    } catch (error) {
      log.error({ err: error }, `metrics cannot be read: ${messageOf(error)}`)
      answer(500, `metrics cannot be read: ${messageOf(error)}\n`)
    }
  })
  server.maxConnections = maxConnections
  const { host, port } = parseListen(listen)
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    const what = `cannot listen for metrics on ${host}:${port}: ${messageOf(cause)}`
    throw new RingsideError('UNAVAILABLE', `${what}; choose another metrics.listen`, { cause })
  }
  // Whoever asks for metrics does not keep a service alive.
  server.unref()
  const url = urlOf(server)
  log.info({ url }, 'metrics')
  return {
    url,
    serve: (families) => void served.push(...families),
    close: () => {
      server.close()
      server.closeAllConnections()
      node.close()
    }
  }
}
