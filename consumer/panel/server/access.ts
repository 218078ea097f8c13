// Access rules of the panel. With a token: requests that carry it. Without one: requests to localhost or a loopback
// address by that name, so that a site whose name resolves to this machine cannot read the panel (DNS rebinding). Pure.
import { isIP } from 'node:net'
import { isLoopback } from '../../../runtime/listen.ts'
import { hasBearer, isSameSecret } from '../../../runtime/token.ts'
import { liveProtocol, tokenProtocol } from '../protocol.ts'

export interface Headers {
  readonly host?: string | undefined
  readonly origin?: string | undefined
  readonly authorization?: string | undefined
  readonly 'sec-websocket-protocol'?: string | string[] | undefined
}

/** The name in a Host header, without port and brackets; undefined for an invalid header. */
const hostnameOf = (host: string | undefined): string | undefined => {
  if (host === undefined || !URL.canParse(`http://${host}`)) return undefined
  return new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, '')
}

const isLocalName = (host: string | undefined): boolean => {
  const hostname = hostnameOf(host)
  if (hostname === undefined) return false
  return hostname === 'localhost' || (isIP(hostname) !== 0 && isLoopback({ host: hostname, port: 0 }))
}

/** Why a request with this Host header is refused; undefined: it is accepted. */
export const hostRefusal = ({ host }: Headers, token: string | undefined): string | undefined =>
  token !== undefined || isLocalName(host)
    ? undefined
    : `without panel.token the panel accepts only localhost and loopback addresses, not "${host ?? ''}": set panel.token to use another name`

/** Why a WebSocket from this origin is refused; undefined: it is accepted. Only browsers send an origin. */
export const originRefusal = ({ host, origin }: Headers): string | undefined => {
  if (origin === undefined) return undefined
  const isSame = URL.canParse(origin) && new URL(origin).host === host
  return isSame ? undefined : `a page of origin ${origin} may not read the panel at "${host ?? ''}"`
}

const protocolsOf = (header: string | string[] | undefined): string[] =>
  [header ?? []]
    .flat()
    .join(',')
    .split(',')
    .map((protocol) => protocol.trim())

/** True for a request that carries the token, as a bearer token or as a subprotocol, and when there is no token. */
export const hasToken = (headers: Headers, token: string | undefined): boolean => {
  if (hasBearer(headers.authorization, token)) return true
  return (
    token !== undefined &&
    protocolsOf(headers['sec-websocket-protocol']).some((protocol) => isSameSecret(protocol, tokenProtocol(token)))
  )
}

/** The subprotocol of the response: never the token. */
export const chooseProtocol = (offered: ReadonlySet<string>): string | false =>
  offered.has(liveProtocol) ? liveProtocol : false
