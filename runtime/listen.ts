// Address of a listener in the configuration: "PORT" (loopback) or "HOST:PORT".
import { BlockList, isIP } from 'node:net'
import { messageOf, RingsideError } from './errors.ts'

export interface Listen {
  readonly host: string
  readonly port: number
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

const pattern = /^(?:(?:\[([0-9a-fA-F:]+)\]|([^\s:[\]]+)):)?(\d{1,5})$/

/** Undefined unless the text is "PORT" or "HOST:PORT". HOST is an address (IPv6 in brackets) or localhost. */
export const findListen = (text: string): Listen | undefined => {
  const [, ipv6, ipv4, digits] = pattern.exec(text) ?? []
  const port = Number(digits)
  if (digits === undefined || port > 65_535) return undefined
  if (ipv6 !== undefined) return isIP(ipv6) === 6 ? { host: ipv6, port } : undefined
  if (ipv4 === undefined || ipv4 === 'localhost') return { host: '127.0.0.1', port }
  return isIP(ipv4) === 4 ? { host: ipv4, port } : undefined
}

/** @throws Error for invalid text, which the configuration refuses beforehand */
export const parseListen = (text: string): Listen => {
  const found = findListen(text)
  if (found === undefined) throw new Error(`"${text}" is no listen address: write PORT or HOST:PORT`)
  return found
}

/**
 * The error of every service that cannot listen. A restart does not help: another program has the port, or the machine
 * has no such address.
 * @param what what is served there, such as "the panel"
 * @param remedy the setting, such as "choose another panel.listen"
 */
export const cannotListen = (what: string, { host, port }: Listen, cause: unknown, remedy: string): RingsideError =>
  new RingsideError('CONFIG', `cannot listen on ${host}:${port} for ${what}: ${messageOf(cause)}; ${remedy}`, { cause })

/** True when only this machine can connect. */
export const isLoopback = ({ host }: Listen): boolean => loopback.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4')

/** Adds `by` to the port of a listen address; port 0 (any free port) stays. */
export const withPortRaised = (text: string, by: number): string => {
  const { port } = parseListen(text)
  return port === 0 ? text : text.replace(/\d+$/, String(port + by))
}
