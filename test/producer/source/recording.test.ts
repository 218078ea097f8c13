import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import pino from 'pino'
import { eventHeaderBytes, eventVersion } from '../../../bpf/event.ts'
import { createRecorder } from '../../../producer/source/recorder.ts'
import { openRecording } from '../../../producer/source/recording.ts'
import { type ClockReading, noMark, type Source, type SourceStatistics } from '../../../producer/source/source.ts'
import { RingsideError } from '../../../runtime/errors.ts'
import { testLog } from '../../support/log.ts'
import { mountSmallDisk, smallDiskMissing } from '../../support/small-disk.ts'

const folder = mkdtempSync(join(tmpdir(), 'ringside-test-'))
after(() => rmSync(folder, { recursive: true }))

const record = (seq: number, extra = 0): Buffer => {
  const bytes = Buffer.alloc(eventHeaderBytes + extra, seq)
  bytes.writeUInt32LE(bytes.length, 0)
  bytes.writeBigUInt64LE(BigInt(seq), 8)
  return bytes
}

/** Each read returns one batch; clock and statistics count the reads. */
class ScriptedSource implements Source {
  readonly boot = '0f2c2c5e-7a2b-4b52-9a55-6f4f1f0b7c11'
  readonly description = 'scripted'
  readonly #batches: Buffer[]
  #reads = 0

  constructor(batches: Buffer[]) {
    this.#batches = [...batches]
  }

  read(into: Uint8Array): number {
    const batch = this.#batches.shift()
    if (batch === undefined) return 0
    this.#reads++
    into.set(batch)
    return batch.length
  }

  clock(): ClockReading {
    return { monotonicNs: 1000n + BigInt(this.#reads), wallNs: 1_700_000_000_000_000_000n + BigInt(this.#reads) }
  }

  statistics(): SourceStatistics {
    const emitted = { process: 0, network: 0, file: 0, io: this.#reads }
    const dropped = { process: 0, network: 1, file: 0, io: 0 }
    return { seen: this.#reads + 1, emitted, dropped, sequences: [{ cpu: 0, before: 9, last: 10 + this.#reads }] }
  }

  get ended(): boolean {
    return this.#batches.length === 0
  }

  readonly begin = noMark
  release(): void {}
  async summarize(): Promise<boolean> {
    return false
  }
  async detach(): Promise<void> {}
  close(): void {}
}

const batches = [Buffer.concat([record(1), record(2, 24)]), record(3), Buffer.concat([record(4), record(5), record(6)])]

const writeRecording = (name: string): string => {
  const path = join(folder, name)
  const recorder = createRecorder(new ScriptedSource(batches), path, testLog)
  const batch = new Uint8Array(4256)
  while (recorder.read(batch) > 0);
  recorder.close()
  return path
}

const play = (source: Source, room = 4256): Buffer => {
  const batch = new Uint8Array(room)
  const parts: Buffer[] = []
  while (!source.ended) parts.push(Buffer.from(batch.subarray(0, source.read(batch))))
  return Buffer.concat(parts)
}

const isData = (message: RegExp) => (error: unknown) =>
  error instanceof RingsideError && error.code === 'DATA' && message.test(error.message)

describe('a recording', () => {
  it('plays the same bytes as were read', () => {
    const source = openRecording(writeRecording('whole'))
    assert.equal(source.boot, '0f2c2c5e-7a2b-4b52-9a55-6f4f1f0b7c11')
    assert.equal(source.description, 'recording whole')
    assert.deepEqual(play(source), Buffer.concat(batches))
    assert.equal(source.ended, true)
    source.close()
  })

  it('is readable by its owner alone', () => {
    assert.equal(statSync(writeRecording('mode')).mode & 0o777, 0o600)
  })

  it('of a run that took over begins after the events of the previous run', () => {
    const path = join(folder, 'taken-over')
    const source = new ScriptedSource(batches)
    const previous = { run: 'before', batch: 3, closed: [{ cpu: 0, seq: 10 }], declared: [], events: [] }
    const recorder = createRecorder(Object.assign(source, { previous }), path, testLog)
    recorder.read(new Uint8Array(4256))
    recorder.close()
    const played = openRecording(path)
    play(played)
    assert.deepEqual(played.statistics().sequences, [{ cpu: 0, before: 10, last: 11 }])
  })

  it('plays whole records into less room than the recorder had', () => {
    assert.deepEqual(play(openRecording(writeRecording('room')), eventHeaderBytes + 24), Buffer.concat(batches))
  })

  it('has the clock and the statistics of the read that is played', () => {
    const source = openRecording(writeRecording('moments'))
    const batch = new Uint8Array(4256)
    assert.equal(source.statistics().seen, 0)
    for (let reads = 1; reads <= batches.length; reads++) {
      source.read(batch)
      assert.equal(source.statistics().emitted.io, reads)
      // The clock from just before the read: no later event ended earlier.
      assert.equal(source.clock().monotonicNs, 1000n + BigInt(reads - 1))
    }
    play(source)
    const { seen, emitted, dropped, sequences } = source.statistics()
    assert.equal(seen, emitted.io + dropped.network)
    assert.deepEqual(sequences, [{ cpu: 0, before: 9, last: 13 }])
    source.close()
  })

  it('that was cut short plays its whole chunks, then fails with the place', () => {
    const path = writeRecording('short')
    truncateSync(path, readFileSync(path).length - 250)
    const source = openRecording(path)
    const batch = new Uint8Array(4256)
    assert.equal(source.read(batch), batches[0]?.length)
    assert.equal(source.read(batch), batches[1]?.length)
    const parts: number[] = []
    assert.throws(
      () => {
        for (let reads = 0; reads < 5; reads++) parts.push(source.read(batch))
      },
      isData(/cut short: its chunk at byte \d+ is not whole/)
    )
    assert.equal(source.ended, true)
    assert.equal(source.read(batch), 0)
    source.close()
  })

  it('without its last chunk is played to the last record, then fails', () => {
    const path = writeRecording('no-end')
    const whole = readFileSync(path)
    const source = new Uint8Array(4256)
    writeFileSync(path, whole.subarray(0, whole.lastIndexOf(batches[2] ?? '') + (batches[2]?.length ?? 0)))
    const played = openRecording(path)
    assert.deepEqual(
      [1, 2, 3].map(() => played.read(source)),
      batches.map((batch) => batch.length)
    )
    assert.throws(() => played.read(source), isData(/cut short/))
    played.close()
  })

  it('is refused when it is another file, of another version, damaged, or missing', () => {
    const path = join(folder, 'other')
    writeFileSync(path, 'some text')
    assert.throws(() => openRecording(path), isData(/does not begin with RINGSIDE/))

    const version = readFileSync(writeRecording('version'))
    version.writeUInt32LE(99, 8)
    writeFileSync(path, version)
    assert.throws(
      () => openRecording(path),
      isData(new RegExp(`version 99; this Ringside reads version ${eventVersion}`))
    )

    const damaged = readFileSync(writeRecording('damaged'))
    damaged.writeUInt32LE(7, damaged.indexOf(record(1)))
    writeFileSync(path, damaged)
    assert.throws(() => play(openRecording(path)), isData(/a record claims 7 bytes/))

    const huge = join(folder, 'huge')
    const recorder = createRecorder(new ScriptedSource([record(1, 1 << 20)]), huge, testLog)
    recorder.read(new Uint8Array(2 << 20))
    recorder.close()
    const source = openRecording(huge)
    assert.throws(
      () => source.read(new Uint8Array(1 << 20)),
      isData(new RegExp(`a record claims ${eventHeaderBytes + (1 << 20)} bytes`))
    )

    const without = readFileSync(writeRecording('without'))
    without.write('{"no"', without.indexOf('{"seen"'))
    writeFileSync(path, without)
    assert.throws(() => play(openRecording(path)), isData(/its statistics cannot be read/))
    const other = readFileSync(writeRecording('other-statistics'))
    other.write('"sawn"', other.indexOf('"seen"'))
    writeFileSync(path, other)
    assert.throws(() => play(openRecording(path)), isData(/its statistics cannot be read/))

    assert.throws(
      () => openRecording(join(folder, 'absent')),
      (error) => error instanceof RingsideError && error.code === 'NO_INPUT' && /absent/.test(error.message)
    )
  })

  it('ends when the disk is full, while the source goes on, and plays up to there', {
    skip: smallDiskMissing()
  }, (t) => {
    const disk = mountSmallDisk(t, 1 << 20)
    const lines: string[] = []
    const log = pino({}, { write: (line) => lines.push((JSON.parse(line) as { msg: string }).msg) })
    const path = join(disk.folder, 'full.rec')
    const recorder = createRecorder(new ScriptedSource([record(1), record(2, 64 << 10), record(3)]), path, log)
    const room = new Uint8Array(1 << 20)
    assert.equal(recorder.read(room), record(1).length)
    disk.fill()
    assert.equal(recorder.read(room), record(2, 64 << 10).length)
    assert.equal(recorder.read(room), record(3).length)
    disk.empty()
    recorder.close()
    assert.equal(lines.length, 1)
    assert.match(lines[0] as string, /cannot write the recording .*full\.rec: ENOSPC.*it ends here, the edge continues/)
    const played = openRecording(path)
    assert.deepEqual(play(played), record(1))
    assert.equal(played.ended, true)
    assert.equal(played.statistics().sequences[0]?.last, 11)
  })

  it('fails with the reason when the disk is full at the start', () => {
    const full = '/dev/full'
    assert.throws(
      () => createRecorder(new ScriptedSource(batches), full, testLog),
      (error) => error instanceof RingsideError && error.code === 'IO' && /\/dev\/full: ENOSPC/.test(error.message)
    )
  })
})
