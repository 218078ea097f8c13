// Names of a socket's family, type and protocol. Numbers of include/linux/socket.h and net.h, include/uapi/linux/in.h, in6.h
// and netlink.h; a test compares them with the headers.

/** AF_INET and AF_INET6 have the names that people use. */
export const families: Readonly<Record<string, number>> = {
  unix: 1,
  ipv4: 2,
  ax25: 3,
  ipx: 4,
  appletalk: 5,
  netrom: 6,
  bridge: 7,
  atmpvc: 8,
  x25: 9,
  ipv6: 10,
  rose: 11,
  key: 15,
  netlink: 16,
  packet: 17,
  atmsvc: 20,
  rds: 21,
  irda: 23,
  pppox: 24,
  llc: 26,
  ib: 27,
  mpls: 28,
  can: 29,
  tipc: 30,
  bluetooth: 31,
  iucv: 32,
  rxrpc: 33,
  isdn: 34,
  phonet: 35,
  ieee802154: 36,
  caif: 37,
  alg: 38,
  nfc: 39,
  vsock: 40,
  kcm: 41,
  qipcrtr: 42,
  smc: 43,
  xdp: 44,
  mctp: 45
}

/** SOCK_* */
export const socketTypes: Readonly<Record<string, number>> = {
  stream: 1,
  dgram: 2,
  raw: 3,
  rdm: 4,
  seqpacket: 5,
  dccp: 6,
  packet: 10
}

/** IPPROTO_* */
export const ipProtocols: Readonly<Record<string, number>> = {
  icmp: 1,
  igmp: 2,
  ipip: 4,
  tcp: 6,
  egp: 8,
  pup: 12,
  udp: 17,
  idp: 22,
  tp: 29,
  dccp: 33,
  ipv6: 41,
  rsvp: 46,
  gre: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  mtp: 92,
  beetph: 94,
  encap: 98,
  pim: 103,
  comp: 108,
  l2tp: 115,
  sctp: 132,
  udplite: 136,
  mpls: 137,
  ethernet: 143,
  raw: 255,
  mptcp: 262
}

/** NETLINK_* */
export const netlinkProtocols: Readonly<Record<string, number>> = {
  route: 0,
  usersock: 2,
  firewall: 3,
  sock_diag: 4,
  nflog: 5,
  xfrm: 6,
  selinux: 7,
  iscsi: 8,
  audit: 9,
  fib_lookup: 10,
  connector: 11,
  netfilter: 12,
  ip6_fw: 13,
  dnrtmsg: 14,
  kobject_uevent: 15,
  generic: 16,
  scsitransport: 18,
  ecryptfs: 19,
  rdma: 20,
  crypto: 21,
  smc: 22
}

const byNumber = (numbers: Readonly<Record<string, number>>): ReadonlyMap<number, string> =>
  new Map(Object.entries(numbers).map(([name, number]) => [number, name]))

const familyNames = byNumber(families)
const typeNames = byNumber(socketTypes)
const ipProtocolNames = byNumber(ipProtocols)
const netlinkProtocolNames = byNumber(netlinkProtocols)

/** Name of an AF_* number: ipv4, ipv6, unix, netlink, …, else af_<number>. */
export const familyName = (family: number): string => familyNames.get(family) ?? `af_${family}`

/** True for AF_INET and AF_INET6, whose sockets have IP addresses, ports and an IPPROTO_*. */
export const isInet = (family: number): boolean => family === families['ipv4'] || family === families['ipv6']

/** True for AF_VSOCK, whose sockets have a cid in place of an address. */
export const isVsock = (family: number): boolean => family === 40

/** Name of a SOCK_* number: stream, dgram, raw, …, else the number. */
export const socketTypeName = (type: number): string => typeNames.get(type) ?? String(type)

/** Name of a protocol: tcp, udp, … of IP, route, generic, … of netlink, else the number; null for the default of IP, and
 * for other families. */
export const protocolName = (family: number, protocol: number): string | null => {
  if (family === families['netlink']) return netlinkProtocolNames.get(protocol) ?? String(protocol)
  if (!isInet(family) || protocol === 0) return null
  return ipProtocolNames.get(protocol) ?? String(protocol)
}
