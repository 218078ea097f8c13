// `ringside up` whose state folder is on a disk that fills: services go on, lose log lines only, and log again when there is
// room.
import assert from 'node:assert/strict'
import { appendFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { createTopics, kafkaMissing, withKafka } from '../support/kafka.ts'
import { childrenOf, eventually, startRingside } from '../support/ringside.ts'
import { mountSmallDisk, smallDiskMissing } from '../support/small-disk.ts'

const skip = smallDiskMissing() || (await kafkaMissing())
const recording = join(import.meta.dirname, '../../examples/recordings/known-calls.rec')

describe('a disk that fills', { skip, timeout: 240_000 }, () => {
  const kafka = withKafka()

  test('stops no service of `up`, and is said once for each', async (t) => {
    const disk = mountSmallDisk(t, 4 << 20)
    const { env: topics } = await createTopics(kafka, 'full-disk')
    const env = { ...topics, RINGSIDE_STATE_DIR: disk.folder }
    const up = startRingside(['up', '--source', recording, '--panel-listen', '', '--format', 'json'], env)
    t.after(() => up.child.kill('SIGKILL'))
    const pid = up.child.pid as number
    const said = (what: RegExp): number => [...up.output.stderr.matchAll(new RegExp(what, 'g'))].length
    await eventually('a start', 120, () => said(/running: /) || undefined)
    const services = () => childrenOf(pid).map((child) => child.pid)
    // The file system's last page of the log has room for some lines.
    const log = join(disk.folder, 'logs', 'rollups.log')
    appendFileSync(log, `${'x'.repeat(4095 - (statSync(log).size % 4096))}\n`)
    disk.fill()
    await eventually('a full disk', 60, () => said(/rollups: cannot write to .*rollups\.log, continuing/) || undefined)
    const before = services()
    disk.empty()
    await eventually('room again', 60, () => said(/rollups: writing to .*rollups\.log again; it lacks/) || undefined)
    assert.deepEqual(services(), before, 'the same processes')
    assert.equal(said(/rollups: cannot write/), 1)
    up.child.kill('SIGTERM')
    const { code, stdout, stderr } = await up.finished
    assert.equal(code, 0, stderr)
    const summary = JSON.parse(stdout)
    assert.deepEqual(summary.restarts, { edge: 0, rollups: 0, alerts: 0, audit: 0 })
    assert.equal(summary.agrees, true)
  })
})
