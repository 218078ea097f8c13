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

test('batches up to the last one before the restart were published, those after it were not', () => {
  const { replay, published } = after(checkpoint(), 15n)
  assert.equal(published, true)
  assert.equal(replay.begin(contextOf(20n)), true)
  assert.equal(replay.begin(contextOf(21n)), false)
})

test('a second restart in the middle of a replay goes on from the same place', () => {
  const { replay } = after(checkpoint(), 15n)
  const { metadata } = replay.checkpoint(15n)
  const second = after(metadata, 15n)
  assert.equal(second.published, true)
  assert.equal(second.replay.begin(contextOf(20n)), true)
  assert.equal(second.replay.begin(contextOf(21n)), false)
})

test('a topic that begins elsewhere than the replay should is taken as new', () => {
  assert.equal(after(checkpoint(), 0n).published, false)
  assert.equal(after(checkpoint(), 18n).published, false)
})

test('what the handler kept is handed back', () => {
  assert.deepEqual(new Replay().restore(checkpoint()), { kept: 1 })
})

test('without a need for earlier batches there is no replay', () => {
  const replay = new Replay()
  replay.begin(contextOf(20n))
  const { holdOffset, metadata } = replay.checkpoint(undefined)
  assert.equal(holdOffset, undefined)
  assert.equal(after(metadata, 21n).published, false)
})

test('metadata of another kind is as if there were none', () => {
  for (const metadata of ['', 'hello', '{}', '{"last":"x","hold":null}', 'null']) {
    assert.equal(after(metadata, 5n).published, false)
  }
})
