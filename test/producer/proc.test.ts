import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { absentProc, bootId, containerIdOf, procOf, procReader } from '../../producer/proc.ts'

const id = '0123456789abcdef'.repeat(4)

test('a container id is found in the cgroup paths of all common runtimes', () => {
  for (const path of [
    `0::/system.slice/docker-${id}.scope`,
    `12:memory:/docker/${id}\n0::/`,
    `0::/kubepods.slice/kubepods-burstable.slice/cri-containerd-${id}.scope`,
    `0::/kubepods/besteffort/pod1234/${id}/init`,
    `0::/system.slice/containerd.service/kubepods:cri-containerd:${id}`,
    `0::/machine.slice/libpod-${id}.scope/container`
  ]) {
    assert.equal(containerIdOf(path), id, path)
  }
  for (const path of ['0::/user.slice/user-1000.slice', `0::/x/${id}0`, `0::/x/${id.slice(1)}`]) {
    assert.equal(containerIdOf(path), null, path)
  }
})

test('the facts of this process are right', () => {
  const facts = procReader().read(process.pid)
  assert.equal(facts?.exe, process.execPath)
  const uptime = Number(execFileSync('cut', ['-d', ' ', '-f1', '/proc/uptime'], { encoding: 'utf8' }))
  const age = uptime - (facts?.startTicks ?? 0) / 100
  assert.ok(age >= -0.1 && age < 3_600, `${age} s`)
  assert.ok(procReader().scan().has(process.pid))
})

test('a process that has ended has no facts', async () => {
  const child = spawn('true')
  await new Promise((resolve) => child.on('close', resolve))
  assert.equal(procReader().read(child.pid as number), undefined)
})

test('names with spaces and parentheses, deleted executables and kernel threads are read', (context) => {
  const root = mkdtempSync(join(tmpdir(), 'ringside-proc-'))
  context.after(() => rmSync(root, { recursive: true }))
  const add = (pid: number, comm: string, exe: string | undefined): void => {
    mkdirSync(join(root, String(pid)))
    const fields = Array.from({ length: 49 }, (_, i) => (i === 18 ? 4321 : i))
    writeFileSync(join(root, String(pid), 'stat'), `${pid} (${comm}) S ${fields.join(' ')}\n`)
    if (exe !== undefined) symlinkSync(exe, join(root, String(pid), 'exe'))
  }
  const named = join(root, 'tool (deleted)')
  writeFileSync(named, '')
  add(5, 'a) b (c', '/opt/tool (deleted)')
  add(6, 'kthreadd', undefined)
  add(7, 'named', named)
  mkdirSync(join(root, 'sys'))
  assert.deepEqual(
    procReader(root).scan(),
    new Map([
      [5, { startTicks: 4321, exe: '/opt/tool', containerId: null }],
      [6, { startTicks: 4321, exe: null, containerId: null }],
      [7, { startTicks: 4321, exe: named, containerId: null }]
    ])
  )
})

test('an executable keeps its path when its file is removed or replaced, and a name may end as the kernel marks one', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-proc-'))
  context.after(() => rmSync(folder, { recursive: true }))
  const start = async (name: string): Promise<{ path: string; pid: number }> => {
    const path = join(folder, name)
    copyFileSync(realpathSync('/bin/cat'), path)
    const child = spawn(path, { stdio: ['pipe', 'pipe', 'inherit'] })
    context.after(() => child.kill('SIGKILL'))
    child.stdin.write('ready')
    await once(child.stdout, 'data')
    return { path, pid: child.pid as number }
  }
  const removed = await start('removed')
  const replaced = await start('replaced')
  const named = await start('named (deleted)')
  rmSync(removed.path)
  rmSync(replaced.path)
  writeFileSync(replaced.path, '')
  writeFileSync(`${replaced.path} (deleted)`, '')
  assert.equal(readlinkSync(`/proc/${replaced.pid}/exe`), `${replaced.path} (deleted)`)
  for (const { path, pid } of [removed, replaced, named]) assert.equal(procReader().read(pid)?.exe, path)
})

test('processes of another boot are not read from /proc', () => {
  assert.match(bootId() ?? '', /^[0-9a-f-]{36}$/)
  assert.equal(procOf('00000000-0000-0000-0000-000000000000'), absentProc)
})
