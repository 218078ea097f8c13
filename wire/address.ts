// Text of IP addresses. By hand, since it runs for every row of audit and tail.

const ipv4Text = (bytes: Uint8Array, from: number): string =>
  `${bytes[from]}.${bytes[from + 1]}.${bytes[from + 2]}.${bytes[from + 3]}`

const ipv6Text = (bytes: Uint8Array): string => {
  const groups = Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] as number) << 8) | (bytes[2 * i + 1] as number))
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) return `::ffff:${ipv4Text(bytes, 12)}`

  // RFC 5952, 4.2: the longest run of two or more zero groups, the first of several, becomes '::'.
  let longest = { from: 0, length: 1 }
  for (let from = 0; from < 8; from++) {
    let end = from
    while (groups[end] === 0) end++
    if (end - from > longest.length) longest = { from, length: end - from }
  }
  const hex = groups.map((group) => group.toString(16))
  if (longest.length === 1) return hex.join(':')
  return `${hex.slice(0, longest.from).join(':')}::${hex.slice(longest.from + longest.length).join(':')}`
}

/**
 * Text of an IP address; IPv6 in the form of RFC 5952.
 * @param bytes 4 or 16 bytes in network order
 * @returns null for any other length
 */
export const addressText = (bytes: Uint8Array): string | null => {
  if (bytes.length === 4) return ipv4Text(bytes, 0)
  return bytes.length === 16 ? ipv6Text(bytes) : null
}

/** VMADDR_CID_ANY and VMADDR_PORT_ANY: not bound. */
const anyVsock = 0xff_ff_ff_ff

/**
 * The cid of a vsock socket as text; null for one that is not bound or not connected.
 * @param bytes 4 bytes in the host's order, which is little-endian on each supported architecture
 */
export const cidText = (bytes: Buffer, port: number): string | null => {
  const cid = bytes.length === 4 ? bytes.readUInt32LE(0) : anyVsock
  return (cid === anyVsock || cid === 0) && (port === anyVsock || port === 0) ? null : String(cid)
}
