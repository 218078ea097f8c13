import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { findingOf, lockHolder, pinCheck } from '../../../cli/doctor/pin-check.ts'
import { loadConfig } from '../../../runtime/load-config.ts'
import { temporaryDirectory } from '../../support/ringside.ts'

const folder = '/sys/fs/bpf/ringside'
const fine = { folder, isBpffs: true, mountAt: undefined, pins: [], holder: undefined }

test('pins that no process holds are those of a dead edge', () => {
  assert.deepEqual(findingOf(folder, fine), { status: 'ok', detail: `${folder} is empty` })
  assert.equal(findingOf(folder, { ...fine, pins: ['a'], holder: 7 }).status, 'ok')
  const left = findingOf(folder, { ...fine, pins: ['a', 'b'] })
  assert.equal(left.status, 'warn')
  assert.match(left.detail, /programs of a dead edge.*2 pins/)
  assert.match(left.remedy ?? '', /ringside run edge.*rm -r \/sys\/fs\/bpf\/ringside/)
})

test('without a bpffs it says where the edge mounts one, or what to do when it may not', () => {
  const none = { ...fine, folder: '/run/ringside/bpf/ringside', isBpffs: false }
  const mounts = findingOf(folder, { ...none, mountAt: '/run/ringside/bpf' })
  assert.equal(mounts.status, 'ok')
  assert.match(mounts.detail, /\/sys\/fs\/bpf is no bpffs: the edge mounts one at \/run\/ringside\/bpf/)
  assert.match(findingOf(folder, none).remedy ?? '', /as root.*mount -t bpf -o mode=700 bpf \/sys\/fs\/bpf/)
})

test('pins that this user may not read need root', () => {
  assert.match(findingOf(folder, { ...fine, pins: undefined }).remedy ?? '', /as root/)
})

test('the process that holds the lock of a folder is found in /proc/locks', async (t) => {
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

test('without edge.pinDir nothing is pinned', async () => {
  const config = loadConfig({ edge: { pinDir: '' } }, undefined, {})
  assert.equal((await pinCheck(config).run()).status, 'ok')
})
