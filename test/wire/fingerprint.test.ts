import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { avroType, canonicalForm } from '../../wire/avro-type.ts'
import { fingerprintOf } from '../../wire/fingerprint.ts'

// From the Avro project's own test vectors (share/test/data/schema-tests.txt).
const vectors: [string, bigint][] = [
  ['"null"', 7195948357588979594n],
  ['"boolean"', -6970731678124411036n],
  ['"int"', 8247732601305521295n],
  ['"string"', -8142146995180207161n]
]

for (const [canonical, fingerprint] of vectors) {
  test(`the fingerprint of ${canonical} agrees with Avro's test vectors`, () => {
    assert.equal(fingerprintOf(canonical).readBigInt64LE(), fingerprint)
  })
}

test('the fingerprints of the schemas are those that fastavro computes', () => {
  const fingerprint = (name: string): string => {
    const path = join(import.meta.dirname, '../../schemas/history', name, '1.avsc')
    return fingerprintOf(canonicalForm(avroType(JSON.parse(readFileSync(path, 'utf8')) as object))).toString('hex')
  }
  assert.deepEqual(['event_batch', 'rollup', 'alert', 'audit_record'].map(fingerprint), [
    'f08142e2ef21e15d',
    '6fc0a74a6158018b',
    '3cffeadaa06c5a8f',
    '6a483bd8dcabcc14'
  ])
})
