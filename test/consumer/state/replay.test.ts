import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Replay } from '../../../consumer/state/replay.ts'
import { contextOf } from '../support/batches.ts'

const after = (metadata: string, offset: bigint): { replay: Replay; published: boolean } => {
  const replay = new Replay()
  replay.restore(metadata)
  return { replay, published: replay.begin(contextOf(offset)) }
}

const checkpoint = (): string => {
  const replay = new Replay()
  for (let offset = 10n; offset <= 20n; offset++) assert.equal(replay.begin(contextOf(offset)), false)
  return replay.checkpoint(15n, { kept: 1 }).metadata
}

test('outputs of batches before the restart were published, later ones were not', () => {
  const { replay, published } = after(checkpoint(), 15n)
  assert.equal(published, true)
  assert.equal(replay.begin(contextOf(20n)), true)
  assert.equal(replay.begin(contextOf(21n)), false)
})

test('a second restart in the middle of a replay resumes at the same offset', () => {
  const { replay } = after(checkpoint(), 15n)
  const { metadata } = replay.checkpoint(15n)
  const second = after(metadata, 15n)
  assert.equal(second.published, true)
  assert.equal(second.replay.begin(contextOf(20n)), true)
  assert.equal(second.replay.begin(contextOf(21n)), false)
})

test('when the topic no longer begins at the resume offset, nothing counts as published', () => {
  assert.equal(after(checkpoint(), 0n).published, false)
  assert.equal(after(checkpoint(), 18n).published, false)
})

test('restore returns the data that the handler stored in the checkpoint', () => {
  assert.deepEqual(new Replay().restore(checkpoint()), { kept: 1 })
})

test('without a resume offset there is no replay', () => {
  const replay = new Replay()
  replay.begin(contextOf(20n))
  const { resumeOffset, metadata } = replay.checkpoint(undefined)
  assert.equal(resumeOffset, undefined)
  assert.equal(after(metadata, 21n).published, false)
})

test('unreadable metadata counts as none', () => {
  for (const metadata of ['', 'hello', '{}', '{"last":"x","resume":null}', 'null']) {
    assert.equal(after(metadata, 5n).published, false)
  }
})
