// Evolution of schemas/: each version reads messages of every other (FULL_TRANSITIVE), and each change of a schema is a new
// version in the history.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { avroType } from '../../wire/avro-type.ts'

const schemasDir = join(import.meta.dirname, '../../schemas')
const names = readdirSync(schemasDir)
  .filter((file) => file.endsWith('.avsc'))
  .map((file) => file.replace('.avsc', ''))

const parse = (...path: string[]): object => JSON.parse(readFileSync(join(schemasDir, ...path), 'utf8')) as object

/** The schema without its docs, which do not affect decoding. */
const withoutDoc = (schema: object): object =>
  JSON.parse(JSON.stringify(schema, (key, value: unknown) => (key === 'doc' ? undefined : value))) as object

const versions = (name: string): string[] =>
  readdirSync(join(schemasDir, 'history', name)).sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10))

for (const name of names) {
  test(`the newest version in the history of ${name} is the schema itself`, () => {
    const newest = versions(name).at(-1) as string
    assert.deepEqual(
      withoutDoc(parse(`${name}.avsc`)),
      withoutDoc(parse('history', name, newest)),
      `schemas/${name}.avsc has changed: copy it to schemas/history/${name}/${Number.parseInt(newest, 10) + 1}.avsc`
    )
  })

  test(`the versions of ${name} are numbered from 1 without a gap`, () => {
    assert.deepEqual(
      versions(name),
      versions(name).map((_, i) => `${i + 1}.avsc`)
    )
  })

  test(`every version of ${name} reads every other`, () => {
    const types = versions(name).map((file) => avroType(parse('history', name, file)))
    for (const reader of types) for (const writer of types) reader.createResolver(writer)
  })
}
