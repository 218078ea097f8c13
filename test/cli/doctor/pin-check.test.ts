import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { findingOf, lockHolder, pinCheck } from '../../../cli/doctor/pin-check.ts'
import { temporaryDirectory } from '../../support/ringside.ts'

const folder = '/sys/fs/bpf/ringside'
const fine = { folder, isBpffs: true, pins: [], holder: undefined }

test('pins that nobody holds are those of an edge that is gone', () => {
  assert.deepEqual(findingOf(fine), { status: 'ok', detail: `nothing is left in ${folder}` })
  assert.equal(findingOf({ ...fine, pins: ['a'], holder: 7 }).status, 'ok')
  const left = findingOf({ ...fine, pins: ['a', 'b'] })
  assert.equal(left.status, 'warn')
  assert.match(left.detail, /programs and rings of an edge that is gone.*2 pins/)
  assert.match(left.remedy ?? '', /ringside run edge.*rm -r \/sys\/fs\/bpf\/ringside/)
})

test('without a bpffs, or without the right to look, it says what to do', () => {
  assert.match(findingOf({ ...fine, isBpffs: false }).remedy ?? '', /mount -t bpf -o mode=700 bpf \/sys\/fs\/bpf/)
  assert.match(findingOf({ ...fine, pins: undefined }).remedy ?? '', /as root/)
})

test('whoever holds the lock of a folder is found in /proc/locks', async (t) => {
  const path = temporaryDirectory(t, 'pins')
  const { dev, ino } = statSync(path, { bigint: true })
  const holder = (): number | undefined => lockHolder(readFileSync('/proc/locks', 'utf8'), dev, ino)
  assert.equal(holder(), undefined)
  const child = spawn('flock', [path, 'sh', '-c', 'echo held; read _'], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  assert.equal(holder(), child.pid)
  child.stdin.end()
  await once(child, 'close')
  assert.equal(holder(), undefined)
})

test('no folder, no pins', async () => {
  assert.equal((await pinCheck('').look()).status, 'ok')
  assert.equal((await pinCheck('/nonexistent/ringside').look()).status, 'warn')
})
