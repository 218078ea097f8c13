import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { summaryCpu } from '../../../bpf/event.ts'
import { notesOf, openLiveSource } from '../../../producer/source/live-source.ts'
import { createRecorder } from '../../../producer/source/recorder.ts'
import { openRecording } from '../../../producer/source/recording.ts'
import { RingsideError } from '../../../runtime/errors.ts'
import { callsOf, commOf, drain, program, quiet, run, skip } from '../../bpf/observe.ts'
import { kernelTimeoutMs } from '../../support/kernel.ts'
import { testLog } from '../../support/log.ts'

const folder = mkdtempSync(join(tmpdir(), 'ringside-test-'))
after(() => rmSync(folder, { recursive: true }))

const isConfig = (message: RegExp) => (error: unknown) =>
  error instanceof RingsideError && error.code === 'CONFIG' && message.test(error.message)

it('says what a kernel without a tracepoint cannot show', () => {
  const both = ['io_uring_submit_sqe', 'io_uring_submit_req']
  const notes = (...unsupported: string[]) => notesOf(unsupported).map((note) => note.replace(/.*for it: /, ''))
  assert.deepEqual(notes('io_uring_submit_sqe'), [], 'the same tracepoint has two names')
  assert.deepEqual(notes(...both, 'io_uring_complete'), ['requests to io_uring'])
  assert.deepEqual(notes('io_uring_submit_sqe', 'io_uring_complete'), ['results of requests to io_uring'])
  assert.deepEqual(notes('task_rename'), ['task_rename'])
})

describe('the live source', { skip, timeout: kernelTimeoutMs }, () => {
  it('describes its kernel and its rings', async () => {
    const source = await openLiveSource(quiet)
    assert.equal(source.boot, readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())
    assert.match(source.description, /^live kernel \d+\.\d+.*, rings of 4, 4 and 4 MiB$/)
    source.close()
  })

  it('accounts for every event', async () => {
    const source = await openLiveSource({ ...quiet, comms: [commOf('flood')] })
    await run(program('flood'), '1000')
    await source.detach()
    const events = drain(source)
    const { seen, emitted, dropped, untracked, sequences } = source.statistics()
    assert.equal(callsOf(events, 'write').length, 1000)
    assert.equal(seen, events.length)
    assert.equal(emitted.io, 1000)
    assert.deepEqual(dropped, { process: 0, network: 0, file: 0, io: 0 })
    assert.equal(
      sequences.reduce((sum, { cpu, before, last }) => sum + (cpu === summaryCpu ? 0 : last - before), 0),
      seen
    )
    assert.equal(untracked, 0)
    assert.equal(source.ended, true)
    source.close()
  })

  it('can be recorded, and the recording plays the same events', async () => {
    const path = join(folder, 'live')
    const recorder = createRecorder(await openLiveSource({ ...quiet, comms: [commOf('tcp')] }), path, testLog)
    await run(program('tcp'), '4')
    await recorder.detach()
    const live = drain(recorder)
    const statistics = recorder.statistics()
    recorder.close()
    assert.ok(live.length > 10)
    const played = openRecording(path)
    assert.deepEqual(drain(played), live)
    const { seen, emitted, dropped } = statistics
    assert.partialDeepStrictEqual(played.statistics(), { seen, emitted, dropped })
    played.close()
  })

  it('refuses an unknown call or cgroup, and an empty name', async () => {
    await assert.rejects(
      openLiveSource({ ...quiet, calls: { opennat: 'off' } }),
      isConfig(/"opennat" \(similar: openat,/)
    )
    await assert.rejects(openLiveSource({ ...quiet, cgroups: ['no/such'] }), isConfig(/no cgroup "no\/such"|cgroup v2/))
    await assert.rejects(openLiveSource({ ...quiet, comms: [''] }), isConfig(/not a thread's name/))
  })
})
