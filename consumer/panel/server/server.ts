// The panel's HTTP server: the built page, the session, the audit search, the WebSocket of open pages, and the probes.
import { existsSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { type AddressInfo, isIPv6 } from 'node:net'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import fastifyWebsocket from '@fastify/websocket'
import fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import { z } from 'zod'
import { limitConnections, timeouts } from '../../../runtime/connection-limits.ts'
import { messageOf } from '../../../runtime/errors.ts'
import { healthAnswer, healthPaths } from '../../../runtime/health.ts'
import { cannotListen, parseListen } from '../../../runtime/listen.ts'
import type { Log } from '../../../runtime/log.ts'
import { printable } from '../../../runtime/printable.ts'
import { type AuditAnswer, type AuditQuery, paths, type Session } from '../protocol.ts'
import { chooseProtocol, hasToken, hostRefusal, originRefusal } from './access.ts'
import type { LivePages } from './live-pages.ts'

export interface ServerOptions {
  /** "PORT" or "HOST:PORT"; port 0 takes a free one. */
  readonly listen: string
  /** Required for everything except the page itself; undefined: everyone on this machine has access. */
  readonly token: string | undefined
  readonly version: string
  readonly pages: LivePages
  /** Why the data is not current. */
  readonly problems: () => readonly string[]
  readonly searchAudit: (query: AuditQuery, signal: AbortSignal) => Promise<AuditAnswer>
  /** Folder of the built page. */
  readonly pageDir: string
  readonly log: Log
}

export interface PanelServer {
  /** http://127.0.0.1:9465/ */
  readonly url: string
  close(): Promise<void>
}

const headers = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'"
  ].join('; '),
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin'
} as const

const maxConnections = 256
/** A watch has three names of at most 4 KiB each. */
const maxMessageBytes = 16 << 10
/** Each search reads a topic at full speed. */
const maxSearches = 2

/** An empty field of the form is a missing one. */
const text = z
  .string()
  .max(4096)
  .optional()
  .transform((value) => (value === '' ? undefined : value))

const auditQuery = z
  .strictObject({
    fromMs: z.coerce.number().min(0),
    toMs: z.coerce.number().min(0),
    host: text,
    call: text,
    program: text,
    pid: text.pipe(z.coerce.number<string>().int().min(0).optional()),
    target: text,
    failed: z.enum(['true', 'false', '']).optional()
  })
  .transform(({ failed, ...query }) => ({ ...query, failed: failed === 'true' }))

const answerText = (reply: FastifyReply, status: number, message: string): FastifyReply =>
  reply
    .code(status)
    .type('text/plain; charset=utf-8')
    .send(`${printable(message)}\n`)

/** Routes without secrets: the page, its files, the session, the probes. Routes, not paths: a path has several spellings. */
const publicRoutes: ReadonlySet<string | undefined> = new Set([
  '/',
  '/*',
  paths.session,
  healthPaths.health,
  healthPaths.ready
])

const checkAccess = (server: FastifyInstance, token: string | undefined): void => {
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(headers)
    const refusal = hostRefusal(request.headers, token) ?? (request.ws ? originRefusal(request.headers) : undefined)
    if (refusal !== undefined) return answerText(reply, 403, refusal)
    const isPublic = publicRoutes.has(request.routeOptions.url) && !request.ws
    if (isPublic || hasToken(request.headers, token)) return undefined
    reply.header('www-authenticate', 'Bearer')
    return answerText(reply, 401, 'missing or invalid bearer token (panel.token)')
  })
}

const serveAudit = (server: FastifyInstance, { searchAudit, log }: ServerOptions): void => {
  let searches = 0
  server.get(paths.audit, async (request, reply) => {
    const query = auditQuery.safeParse(request.query)
    if (!query.success) {
      const problems = query.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
      return answerText(reply, 400, problems.join('; '))
    }
    if (searches >= maxSearches)
      return answerText(reply, 503, `${searches} searches are running, the maximum: try again later`)
    searches += 1
    const disconnected = new AbortController()
    reply.raw.once('close', () => disconnected.abort())
    try {
      return await searchAudit(query.data as AuditQuery, disconnected.signal)
    } catch (error) {
      log.warn(`audit search failed: ${messageOf(error)}`)
      return answerText(reply, 503, messageOf(error))
    } finally {
      searches -= 1
    }
  })
}

const serveHealth = (server: FastifyInstance, { problems, token }: ServerOptions): void => {
  for (const path of Object.values(healthPaths)) {
    server.get(path, (request, reply) => {
      const { status = 404, text = '' } = healthAnswer(path, problems, hasToken(request.headers, token)) ?? {}
      return reply.code(status).type('text/plain; charset=utf-8').send(text)
    })
  }
}

const servePage = async (server: FastifyInstance, pageDir: string): Promise<void> => {
  if (existsSync(join(pageDir, 'index.html'))) {
    await server.register(fastifyStatic, { root: pageDir })
  } else {
    server.get('/', (_, reply) =>
      answerText(
        reply,
        503,
        `the page is not built, ${pageDir} has no index.html: run \`npm run build\` and restart the panel`
      )
    )
  }
}

const urlOf = (server: FastifyInstance): string => {
  const { address, port } = server.server.address() as AddressInfo
  return `http://${isIPv6(address) ? `[${address}]` : address}:${port}/`
}

/**
 * Starts listening.
 * @throws RingsideError CONFIG when it cannot listen on the address
 */
export const startServer = async (options: ServerOptions): Promise<PanelServer> => {
  const { listen, token, version, pages, pageDir, log } = options
  const { headersTimeout, connectionsCheckingInterval, ...rest } = timeouts
  const http = { headersTimeout, connectionsCheckingInterval }
  const server = fastify({ bodyLimit: 1024, http, ...rest, forceCloseConnections: true })
  limitConnections(server.server, maxConnections)
  await server.register(fastifyWebsocket, {
    options: { maxPayload: maxMessageBytes, handleProtocols: chooseProtocol },
    errorHandler: (error, socket) => {
      log.debug(`WebSocket failed, closing it: ${error.message}`)
      socket.terminate()
    }
  })
  checkAccess(server, token)
  server.setNotFoundHandler((_, reply) => answerText(reply, 404, 'not found'))
  server.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500
    if (status >= 500) log.error({ err: error, url: request.url }, `request failed: ${error.message}`)
    return answerText(reply, status, error.message)
  })
  server.get(paths.session, (request: { headers: IncomingMessage['headers'] }): Session => {
    return { version, refused: !hasToken(request.headers, token) }
  })
  server.get(paths.live, { websocket: true }, (socket) => pages.add(socket))
  serveAudit(server, options)
  serveHealth(server, options)
  await servePage(server, pageDir)

  const { host, port } = parseListen(listen)
  try {
    await server.listen({ host, port })
  } catch (cause) {
    throw cannotListen('the panel', { host, port }, cause, 'choose another panel.listen (--panel-listen)')
  }
  return { url: urlOf(server), close: () => server.close() }
}
