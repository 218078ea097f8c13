// An unprivileged process tries to make events lie: programs/forger.c plays it on the live kernel.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { kernelTimeoutMs } from '../support/kernel.ts'
import { callsOf, kindsOf, observeProgram, skip } from './observe.ts'

const ENOENT = 2
const remoteOf = (event: { socket: { remote: string } | undefined } | undefined) => event?.socket?.remote

describe('an attacker', { skip, timeout: kernelTimeoutMs }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-test-'))
  after(() => rmSync(folder, { recursive: true }))

  it('does not pass on the program of a parent that a child did not come from', async () => {
    const { events, result } = await observeProgram('forger', 'clone-parent')
    const child = Number(result.stdout)
    const fork = kindsOf(events, 'fork').find((event) => event.pid === child)
    assert.deepEqual([fork?.ppid, fork?.origin], [process.pid, result.pid])
    const exec = kindsOf(events, 'exec').find((event) => event.pid === result.pid)
    assert.equal(fork?.originId, exec?.startNs, 'the start of the creator')
  })

  it('does not hide where a connect went by rewriting its address during the call', async () => {
    const { events, result } = await observeProgram('forger', 'rewrite-connect')
    assert.equal(result.code, 0)
    const connects = callsOf(events, 'connect')
    assert.deepEqual([...new Set(connects.map(remoteOf))], ['203.0.113.10:4444'])
    const blocking = connects.find((event) => event.ret === 0 && event.durationNs > 300_000_000)
    assert.deepEqual([blocking?.isAddressGiven, remoteOf(blocking)], [false, '203.0.113.10:4444'])
  })

  it('is caught rewriting an address that only its memory has', async () => {
    const path = join(folder, 'queue')
    const { events } = await observeProgram('forger', 'rewrite-sendto', path)
    const blocked = callsOf(events, 'sendto').find((event) => event.durationNs > 200_000_000)
    assert.deepEqual(
      [blocked?.path, blocked?.isAddressGiven, blocked?.isArgumentChanged],
      ['/nowhere/at-all', true, true]
    )
    const others = callsOf(events, 'sendto').filter((event) => event !== blocked)
    assert.ok(others.length > 1 && others.every((event) => event.path === path && !event.isArgumentChanged))
  })

  it('does not hide the peer of a connected stream behind an address that is ignored', async () => {
    const { events, result } = await observeProgram('forger', 'named-stream')
    for (const call of ['sendto', 'sendmsg']) {
      const [event] = callsOf(events, call)
      assert.deepEqual([remoteOf(event), event?.isAddressGiven], [`127.0.0.1:${Number(result.stdout)}`, false], call)
    }
  })

  it('does not hide a file behind a link, a relative name or another folder', async () => {
    const secret = join(folder, 'secret')
    writeFileSync(secret, '')
    const place = join(folder, 'place')
    mkdirSync(place)
    const { events } = await observeProgram('forger', 'hidden-names', place, secret)
    const opens = callsOf(events, 'openat').map((event) => [event.path, event.isOpened, event.extra, event.ret < 0])
    assert.deepEqual(opens, [
      [secret, true, 'innocent', false],
      [join(place, './missing').replace('/missing', '/./missing'), false, '', true],
      [secret, true, secret, false]
    ])
    const symlink = events.find((event) => event.call.startsWith('symlink'))
    assert.deepEqual([symlink?.path, symlink?.extra], [secret, join(place, 'innocent')])
    assert.equal(callsOf(events, 'openat')[1]?.ret, -ENOENT)
  })

  it('is seen to put a socket onto 0 to 2 in every way, and cannot flood a ring with other duplicates', async () => {
    const { events, statistics } = await observeProgram('forger', 'duplicates')
    const emitted = events.filter((event) => /^(dup|fcntl)/.test(event.call))
    assert.deepEqual(
      emitted.map((event) => [event.call, event.ret, event.socket?.family]),
      [
        ['dup', 0, 2],
        ['fcntl', 1, 2],
        ['dup3', 2, 2]
      ]
    )
    assert.ok((statistics.counted?.network ?? 0) >= 20_000)
  })

  it('is seen to make, link and cut files in other ways', async () => {
    const place = join(folder, 'ways')
    mkdirSync(place)
    const { events } = await observeProgram('forger', 'other-ways', place)
    const at = (name: string): string => join(place, name)
    const made = events.find((event) => event.call === 'creat' || event.path === at('made'))
    assert.deepEqual([made?.path, made?.isOpened, made?.extra], [at('made'), true, 'made'])
    assert.deepEqual(
      ['linkat', 'symlinkat', 'truncate', 'memfd_create'].map((call) => {
        const [event] = callsOf(events, call)
        return [call, event?.class, event?.path, event?.extra]
      }),
      [
        ['linkat', 'file', at('made'), at('linked')],
        ['symlinkat', 'file', 'made', at('pointing')],
        ['truncate', 'file', at('made'), ''],
        ['memfd_create', 'process', 'nowhere', '']
      ]
    )
  })
})
