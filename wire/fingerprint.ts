// CRC-64-AVRO (Rabin) fingerprint of a schema; see "Schema Fingerprints" in the Avro specification.

const empty = 0xc15d213aa4d7a795n

const table = Array.from({ length: 256 }, (_, byte) => {
  let fingerprint = BigInt(byte)
  for (let bit = 0; bit < 8; bit++) fingerprint = (fingerprint >> 1n) ^ (empty & -(fingerprint & 1n))
  return fingerprint
})

/**
 * @param canonicalForm the schema's Parsing Canonical Form
 * @returns 8 bytes, least significant first
 */
export const fingerprintOf = (canonicalForm: string): Buffer => {
  let fingerprint = empty
  for (const byte of Buffer.from(canonicalForm, 'utf8')) {
    fingerprint = (fingerprint >> 8n) ^ (table[Number((fingerprint ^ BigInt(byte)) & 0xffn)] as bigint)
  }
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(fingerprint)
  return bytes
}
