// Addresses that a test needs and a machine may lack.
import { networkInterfaces } from 'node:os'

/** Why nothing can be reached at ::1, or false: for the `skip` of a test. */
export const ipv6Missing = (): string | false => {
  const addresses = Object.values(networkInterfaces()).flatMap((some) => some ?? [])
  return addresses.every(({ address }) => address !== '::1') && 'needs IPv6: no interface has the address ::1'
}
