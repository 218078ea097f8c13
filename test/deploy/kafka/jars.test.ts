import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { checkJava, prepareLocalKafka } from '../../../deploy/kafka/jars.ts'
import { RingsideError } from '../../../runtime/errors.ts'
import { testLog } from '../../support/log.ts'

describe("the local Kafka's jars", () => {
  let dir = ''
  const { PATH, RINGSIDE_KAFKA_LIB } = process.env

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'ringside-jars-'))
    process.env['RINGSIDE_KAFKA_LIB'] = join(dir, 'cache')
  })
  afterEach(() => {
    process.env['PATH'] = PATH
    if (RINGSIDE_KAFKA_LIB === undefined) delete process.env['RINGSIDE_KAFKA_LIB']
    else process.env['RINGSIDE_KAFKA_LIB'] = RINGSIDE_KAFKA_LIB
    rmSync(dir, { recursive: true })
  })

  /** Puts a shell script in place of a command. */
  const stub = (command: string, script: string): void => {
    const path = join(dir, command)
    writeFileSync(path, `#!/bin/sh\n${script}\n`)
    chmodSync(path, 0o755)
    process.env['PATH'] = `${dir}${delimiter}${PATH}`
  }

  const mavenThatCounts = (): void =>
    stub(
      'mvn',
      `echo run >> ${dir}/runs\nfor a; do case $a in -DoutputDirectory=*) echo jar > "\${a#*=}/kafka.jar";; esac; done`
    )

  test('are fetched once, even by two processes at the same time', async () => {
    mavenThatCounts()
    const folders = await Promise.all([prepareLocalKafka(testLog), prepareLocalKafka(testLog)])
    assert.equal(folders[0], folders[1])
    rmSync(join(dir, 'runs'))
    assert.equal(await prepareLocalKafka(testLog), folders[0])
    assert.deepEqual(readdirSync(folders[0] ?? ''), ['kafka.jar'])
    assert.ok(!readdirSync(dir).includes('runs'), 'Maven ran again')
    assert.equal(readdirSync(join(dir, 'cache')).length, 1)
  })

  test('a failed fetch gives the reason and leaves no folder', async () => {
    stub('mvn', `printf '\\033[0m[ERROR] Could not resolve kafka: no route to host -> [Help 1]\\n[ERROR] \\n'; exit 1`)
    await assert.rejects(prepareLocalKafka(testLog), (error) => {
      assert.ok(error instanceof RingsideError)
      assert.equal(error.code, 'UNAVAILABLE')
      assert.match(error.message, /Could not resolve kafka: no route to host$/)
      return true
    })
    assert.deepEqual(readdirSync(join(dir, 'cache')), [])
  })

  test('without Maven the error says what to install', async () => {
    process.env['PATH'] = dir
    await assert.rejects(prepareLocalKafka(testLog), /mvn is missing: install it \(Debian: apt-get install maven\)/)
  })

  test('a Java that is too old is refused', async () => {
    stub('java', 'echo \'openjdk version "11.0.2" 2019-01-15\' >&2')
    await assert.rejects(checkJava(), /needs Java 17 or newer, and java is version 11/)
  })
})
