import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, describe, it } from 'node:test'
import { containerIdIn } from '../../producer/container-id.ts'
import { cgroupMount } from '../support/cgroups.ts'
import { kernelTimeoutMs } from '../support/kernel.ts'
import { kindsOf, observe, program, run, type Seen, skip } from './observe.ts'

const folder = mkdtempSync(join(tmpdir(), 'ringside-test-'))
after(() => rmSync(folder, { recursive: true }))

/** A copy of a program under another name, in a folder of this test. */
const place = (name: string, into = folder): string => {
  mkdirSync(into, { recursive: true })
  const path = join(into, name)
  copyFileSync(program('flood'), path)
  return path
}

/** Exec events of the whole machine whose path has this end. */
const execsUnder = async (end: string, work: () => Promise<unknown>): Promise<Seen[]> => {
  const { events } = await observe({}, work)
  return kindsOf(events, 'exec').filter((event) => event.path.endsWith(end))
}

describe('the path of an executable', { skip, timeout: kernelTimeoutMs }, () => {
  it('is its real path, without symbolic links and dots', async () => {
    const path = place('rs-real')
    symlinkSync(path, join(folder, 'rs-link'))
    const names = [path, join(folder, 'rs-link'), join(folder, '..', basename(folder), '.', 'rs-real')]
    for (const name of names) {
      const [exec, ...rest] = await execsUnder('rs-real', () => run(program('execute'), 'path', name))
      assert.deepEqual([exec?.path, exec?.isTruncated, rest], [path, false, []], name)
    }
  })

  it('is the path of the interpreter for a script', async () => {
    const script = join(folder, 'script')
    writeFileSync(script, '#!/bin/sh\n', { mode: 0o755 })
    const { events, result } = await observe({}, () => run(program('execute'), 'path', script))
    const paths = kindsOf(events, 'exec').filter((event) => event.pid === result.pid)
    assert.deepEqual(
      paths.map((event) => event.path),
      [program('execute'), realpathSync('/bin/sh')]
    )
  })

  it('is its path in its mount namespace', async () => {
    const path = place('rs-mounted', join(folder, 'outside'))
    const inside = join(folder, 'inside')
    mkdirSync(inside)
    const script = `mount --bind ${join(folder, 'outside')} ${inside} && ${program('execute')} path ${inside}/rs-mounted`
    const execs = await execsUnder('rs-mounted', () => run('unshare', '--mount', 'sh', '-c', script))
    assert.deepEqual(
      execs.map((event) => event.path),
      [join(inside, 'rs-mounted')]
    )
    assert.ok(existsSync(path))
  })

  it('is marked for a deleted file and a memfd, and not for a name that only ends in "(deleted)"', async () => {
    const path = place('rs-deleted')
    const named = place('rs-deleted (deleted)')
    const deleted = await execsUnder('rs-deleted', () => run(program('execute'), 'deleted', path))
    const memory = await execsUnder('memfd:ringside', () => run(program('execute'), 'memfd', place('rs-memory')))
    const whole = await execsUnder('(deleted)', () => run(program('execute'), 'path', named))
    assert.deepEqual(
      [...deleted, ...memory, ...whole].map((event) => [event.path, event.isDeleted]),
      [
        [path, true],
        ['/memfd:ringside', true],
        [named, false]
      ]
    )
  })

  for (const length of [255, 256, 4095]) {
    it(`is complete with ${length} bytes`, async () => {
      const room = length - folder.length - '/rs-long'.length
      const deep = `/${'x'.repeat(199)}`.repeat(21).slice(0, room).replace(/\/$/, 'x')
      const path = place('rs-long', `${folder}${deep}`)
      assert.equal(path.length, length)
      const [exec] = await execsUnder('rs-long', () => run(program('execute'), 'path', path))
      assert.deepEqual([exec?.path, exec?.isTruncated], [path, false])
    })
  }

  it('is its end behind a mark if it is too deep, so that it looks like no other path', async () => {
    const path = place('rs-deep', join(folder, ...Array.from({ length: 200 }, () => 'd')))
    const [exec] = await execsUnder('rs-deep', () => run(program('execute'), 'path', path))
    assert.equal(exec?.isTruncated, true)
    assert.match(exec?.path ?? '', /^…\/d\/d\/.*\/rs-deep$/)
    assert.ok(path.endsWith(exec?.path.slice(1) ?? '?') && (exec?.path.length ?? 0) > 200)
  })

  it('is that of the file that was executed, also when another one has taken its path', async () => {
    const path = place('rs-replaced')
    const { events, result } = await observe({}, () => run(program('execute'), 'replaced', path))
    assert.equal(result.code, 0)
    const family = kindsOf(events, 'exec').filter(({ pid, ppid }) => pid === result.pid || ppid === result.pid)
    assert.deepEqual(
      family.map((event) => [event.path, event.isDeleted]),
      [
        [program('execute'), false],
        [path, false],
        [path, true]
      ]
    )
  })
})

describe("the name of a container's cgroup", { skip, timeout: kernelTimeoutMs }, () => {
  const id = randomBytes(32).toString('hex')
  const memory = cgroupMount('cgroup', 'memory')
  const unified = cgroupMount('cgroup2')
  const hierarchies = {
    'v1, in the memory hierarchy': [memory, `docker/${id}`],
    'v1, below it': [memory, `docker/${id}/a/b`],
    'v2, of Docker': [unified, `ringside-test.slice/docker-${id}.scope`],
    'v2, below it': [unified, `ringside-test.slice/docker-${id}.scope/a/b/c`],
    'v2, of containerd': [unified, `ringside-test.slice/cri-containerd-${id}.scope`]
  } as const
  for (const [name, [mount, path]] of Object.entries(hierarchies)) {
    it(`is in every fork and exec event: ${name}`, async (test) => {
      if (mount === undefined) return test.skip('no such hierarchy is mounted')
      const made: string[] = []
      for (let part = path as string; part !== '.'; part = join(part, '..')) made.push(join(mount, part))
      const missing = made.filter((folder) => !existsSync(folder))
      mkdirSync(join(mount, path), { recursive: true })
      try {
        const script = `echo $$ > ${join(mount, path)}/cgroup.procs; ${program('flood')} 1; true`
        const { events, result } = await observe({}, () => run('sh', '-c', script))
        const child = events.find((event) => event.kind === 'fork' && event.ppid === result.pid)
        const exec = kindsOf(events, 'exec').find((event) => event.pid === child?.pid)
        const lines = (event: Seen | undefined): string[] => event?.extra.split('\n') ?? []
        assert.ok(lines(child).includes(`/${path}`), child?.extra)
        assert.deepEqual([lines(exec), exec?.path], [lines(child), program('flood')])
        assert.equal(containerIdIn(exec?.extra ?? ''), id)
        assert.equal(exec?.ppid, result.pid)
        const outside = kindsOf(events, 'exec').find((event) => event.pid === result.pid)
        assert.ok(!lines(outside).includes(`/${path}`), 'executed before it joined the cgroup')
      } finally {
        for (const folder of missing) rmdirSync(folder)
      }
    })
  }
})
