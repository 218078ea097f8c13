// Who may ask the panel: whoever has the token; without one, who is on this machine and came to it by its own name, so
// that no page of another site reaches it through a name that it points here. Pure.
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

/** The host of a Host header without port and brackets; undefined when it is none. */
const hostnameOf = (host: string | undefined): string | undefined => {
  if (host === undefined || !URL.canParse(`http://${host}`)) return undefined
  return new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, '')
}

const namesThisMachine = (host: string | undefined): boolean => {
  const hostname = hostnameOf(host)
  if (hostname === undefined) return false
  return hostname === 'localhost' || (isIP(hostname) !== 0 && isLoopback({ host: hostname, port: 0 }))
}

/** Why the request is refused whatever it asks for; undefined: it is not. */
export const strangerOf = ({ host }: Headers, token: string | undefined): string | undefined =>
  token !== undefined || namesThisMachine(host)
    ? undefined
    : `the panel has no token, and so answers only to localhost or a loopback address, not to ${host ?? 'no name'}; set panel.token to reach it by another name`

/** Why a page of this origin may not open a socket; undefined: it may, as may what is no browser and has no origin. */
export const foreignOf = ({ host, origin }: Headers): string | undefined => {
  if (origin === undefined) return undefined
  const isOurs = URL.canParse(origin) && new URL(origin).host === host
  return isOurs ? undefined : `a page of ${origin} may not read the panel at ${host ?? 'no name'}`
}

const offered = (header: string | string[] | undefined): string[] =>
  [header ?? []]
    .flat()
    .join(',')
    .split(',')
    .map((protocol) => protocol.trim())

/** Whether it has the token, as a bearer or, where a browser can set no header, as a subprotocol. */
export const hasToken = (headers: Headers, token: string | undefined): boolean => {
  if (hasBearer(headers.authorization, token)) return true
  return (
    token !== undefined &&
    offered(headers['sec-websocket-protocol']).some((protocol) => isSameSecret(protocol, tokenProtocol(token)))
  )
}

/** The one that is agreed on; false: none. */
export const chooseProtocol = (protocols: ReadonlySet<string>): string | false =>
  protocols.has(liveProtocol) ? liveProtocol : false
