// Sets of IP networks, and which addresses are external: those that somebody else may own.
import { BlockList, isIP } from 'node:net'

// By use, from the IANA registries of special-purpose addresses. The documentation networks (192.0.2.0/24,
// 198.51.100.0/24, 203.0.113.0/24, 2001:db8::/32) are not among them: traffic to them leaves the host.
const internal = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // shared by a carrier's customers, and what overlay networks use
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
  /** Whether an address, as text, lies in one of the networks; false for what is no IP address. */
  has(address: string): boolean
}

/** An address, or an address and the length of its prefix: 10.0.0.0/8. */
export const isNetwork = (text: string): boolean => {
  const [address = '', prefix, ...rest] = text.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128))
}

/** @param networks each as isNetwork() takes it; IPv4 ones hold the IPv6-mapped forms of their addresses too */
export const networksOf = (networks: readonly string[]): Networks => {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
    list.addSubnet(address, Number(prefix ?? (family === 'ipv4' ? 32 : 128)), family)
  }
  return {
    has: (address) => {
      const version = isIP(address)
      return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6')
    }
  }
}

const internalNetworks = networksOf(internal)

/** Whether an address, as text, is neither private, loopback, link-local, multicast nor reserved. */
export const isExternal = (address: string): boolean => isIP(address) !== 0 && !internalNetworks.has(address)
