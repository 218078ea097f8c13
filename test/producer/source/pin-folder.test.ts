import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Folders, findPinFolder } from '../../../producer/source/pin-folder.ts'
import { temporaryDirectory } from '../../support/ringside.ts'

const configured = '/sys/fs/bpf/ringside'
const run = '/run/ringside/bpf'

/** A machine with bpffs at these folders, pins in those, and folders that no bpffs can be mounted at. */
const folders = (
  bpffs: readonly string[],
  pins: readonly string[] = [],
  unwritable: readonly string[] = []
): Folders => ({
  isBpffs: (folder) => bpffs.includes(folder),
  namesIn: (folder) => (pins.includes(folder) ? ['released'] : []),
  canMount: (folder) => !unwritable.includes(folder)
})

const choose = (...machine: Parameters<typeof folders>) => findPinFolder(configured, '/state', folders(...machine))

test('a bpffs at the configured folder is used', () => {
  assert.deepEqual(choose(['/sys/fs/bpf']), { path: configured })
  assert.deepEqual(choose(['/sys/fs/bpf', run]), { path: configured })
})

test('without one, a bpffs is mounted below /run, or in the state folder where /run is read-only', () => {
  assert.deepEqual(choose([]), { path: `${run}/ringside`, mountAt: run })
  assert.deepEqual(choose([], [], [run]), { path: '/state/bpf/ringside', mountAt: '/state/bpf' })
  assert.deepEqual(choose([], [], [run, '/state/bpf']), { path: configured })
})

test('a bpffs that an earlier edge mounted is used again', () => {
  assert.deepEqual(choose([run]), { path: `${run}/ringside` })
  assert.deepEqual(choose(['/state/bpf']), { path: '/state/bpf/ringside' })
})

test('pins of a dead edge are found where it left them, though a bpffs was mounted elsewhere since', () => {
  assert.deepEqual(choose(['/sys/fs/bpf', run], [`${run}/ringside`]), { path: `${run}/ringside` })
})

test('a folder that holds files is not mounted over', (t) => {
  const stateDir = temporaryDirectory(t, 'pins')
  const blocked = join(stateDir, 'blocked')
  mkdirSync(join(blocked, 'bpf'), { recursive: true })
  writeFileSync(join(blocked, 'bpf', 'file'), '')
  const { path, mountAt } = findPinFolder(join(stateDir, 'x', 'pins'), blocked)
  assert.notEqual(mountAt, join(blocked, 'bpf'))
  assert.match(path, /\/pins$/)
})
