// The HTTP port of a service: /metrics, as OpenMetrics or in the Prometheus text format, with the families of the service
// and those of every Node process; /healthz and /readyz. On loopback by default; beyond it clients need the token.
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { type AddressInfo, isIPv6 } from 'node:net'
import ringside from '../package.json' with { type: 'json' }
import { limitConnections, timeouts } from './connection-limits.ts'
import { messageOf } from './errors.ts'
import { contentTypes, exposition, formatFor } from './exposition.ts'
import { healthAnswer } from './health.ts'
import { cannotListen, parseListen } from './listen.ts'
import type { Log } from './log.ts'
import type { MetricFamily } from './metric-family.ts'
import { watchNode } from './node-metrics.ts'
import type { Service } from './service.ts'
import { hasBearer } from './token.ts'

export interface MetricsOptions {
  /** "PORT" or "HOST:PORT"; port 0 is any free port. */
  readonly listen: string
  /** Bearer token that clients must send; undefined: every client may read. */
  readonly token?: string | undefined
  /** Value of the label `service`, on every sample. */
  readonly service: string
  readonly log: Log
}

export interface MetricsListener {
  /** http://127.0.0.1:9464/metrics */
  readonly url: string
  /** Exposes the families and the readiness of a service that has started. */
  serve(service: Pick<Service, 'metrics' | 'problems'>): void
  close(): void
}

/** Version of Ringside and Node, exposed by every service. */
export const buildInfo: MetricFamily = {
  name: 'ringside_build_info',
  kind: 'gauge',
  help: 'Always 1; the labels have the versions of Ringside and Node.',
  labels: ['version', 'node'],
  samples: () => [{ labels: { version: ringside.version, node: process.versions.node }, value: 1 }]
}

/** More than ever scrape at once. */
const maxConnections = 32

const urlOf = (server: Server): string => {
  const { address, port } = server.address() as AddressInfo
  return `http://${isIPv6(address) ? `[${address}]` : address}:${port}/metrics`
}

/**
 * Starts the listener. Each request reads the families.
 * @throws RingsideError CONFIG when it cannot listen on the address
 */
export const listenForMetrics = async ({ listen, token, service, log }: MetricsOptions): Promise<MetricsListener> => {
  const node = watchNode()
  const served: MetricFamily[] = [buildInfo]
  let problems: Service['problems'] = () => ['the service is starting']

  const server = createServer(timeouts, async (request, response) => {
    const answer = (status: number, text: string, headers: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(text)
    }
    const isAllowed = hasBearer(request.headers.authorization, token)
    const health = request.method === 'GET' ? healthAnswer(request.url, problems, isAllowed) : undefined
    if (health !== undefined) return answer(health.status, health.text)
    if (!isAllowed) {
      answer(401, 'missing or invalid bearer token: send metrics.token as "authorization: Bearer …"\n', {
        'www-authenticate': 'Bearer'
      })
      return
    }
    if (request.method !== 'GET' || request.url?.split('?')[0] !== '/metrics') {
      answer(404, 'not found: only GET /metrics, /healthz and /readyz are served\n')
      return
    }
    try {
      const format = formatFor(request.headers.accept)
      const text = exposition([...served, ...(await node.read())], { service }, format)
      answer(200, text, { 'content-type': contentTypes[format], vary: 'accept' })
    } catch (error) {
      log.error({ err: error }, `cannot read metrics, answering 500: ${messageOf(error)}`)
      answer(500, `cannot read metrics: ${messageOf(error)}\n`)
    }
  })
  limitConnections(server, maxConnections)
  const { host, port } = parseListen(listen)
  server.listen(port, host)
  try {
    await once(server, 'listening')
  } catch (cause) {
    node.close()
    throw cannotListen('metrics', { host, port }, cause, 'choose another metrics.listen (--metrics-listen)')
  }
  // Open connections must not keep the process alive.
  server.unref()
  const url = urlOf(server)
  log.info({ url }, 'serving metrics')
  return {
    url,
    serve: (running) => {
      served.push(...(running.metrics ?? []))
      problems = () => running.problems()
    },
    close: () => {
      server.close()
      server.closeAllConnections()
      node.close()
    }
  }
}
