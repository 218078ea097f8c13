// Sets of IP networks, and the test for external addresses: those that another party may own.
import { BlockList, isIP } from 'node:net'
import ipaddr from 'ipaddr.js'
import { RingsideError } from '../../runtime/errors.ts'

// By use, from the IANA registries of special-purpose addresses. The documentation networks (192.0.2.0/24,
// 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32) are not among them: traffic to them leaves the host.
const internal = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // carrier-grade NAT, overlay networks
  '127.0.0.0/8', // loopback
  '169.254.0.0/16', // link-local, cloud metadata
  '172.16.0.0/12', // private
  '192.0.0.0/24', // protocol assignments
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks of network devices
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved, and the limited broadcast
  '::/128', // unspecified
  '::1/128', // loopback
  '100::/64', // discard only
  'fc00::/7', // unique local
  'fe80::/10', // link-local
  'fec0::/10', // site-local, deprecated
  'ff00::/8' // multicast
]

export interface Networks {
  /** True when the address is in one of the networks; false for text that is no IP address. */
  has(address: string): boolean
}

/** 10.0.0.0/8, or an address alone: a network of one. Undefined for anything else, shorthand such as 10.1/16 included. */
const parseNetwork = (text: string): readonly [address: ipaddr.IPv4 | ipaddr.IPv6, prefix: number] | undefined => {
  const cidr = text.includes('/') ? text : `${text}/${text.includes(':') ? 128 : 32}`
  const isValid = ipaddr.IPv4.isValidCIDRFourPartDecimal(cidr) || ipaddr.IPv6.isValidCIDR(cidr)
  return isValid ? ipaddr.parseCIDR(cidr) : undefined
}

export const isNetwork = (text: string): boolean => parseNetwork(text) !== undefined

/** @param networks each as isNetwork() accepts it; an IPv4 network has the IPv4-mapped IPv6 forms of its addresses too */
export const networksOf = (networks: readonly string[]): Networks => {
  // Node's list: matching with ipaddr.js takes two to ten times as long, for each socket of a batch.
  const list = new BlockList()
  for (const network of networks) {
    const parsed = parseNetwork(network)
    if (parsed === undefined)
      throw new RingsideError('CONFIG', `"${network}" is no network: write 10.0.0.0/8 or an address`)
    const [address, prefix] = parsed
    list.addSubnet(address.toString(), prefix, address.kind())
  }
  return {
    has: (address) => {
      const version = isIP(address)
      return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6')
    }
  }
}

const internalNetworks = networksOf(internal)

/** True when the address is neither private, loopback, link-local, multicast nor reserved; false for other text. */
export const isExternal = (address: string): boolean => isIP(address) !== 0 && !internalNetworks.has(address)
