import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { preparePrivilegeDrop, privilegesLeft } from '../../producer/privileges.ts'
import { skip } from '../bpf/observe.ts'
import { privateCode } from '../support/kernel.ts'

const none = '0000000000000000'
const status = (changed: Record<string, string> = {}): string => {
  const nobody = '65534\t65534\t65534\t65534'
  const sets = { CapInh: none, CapPrm: none, CapEff: none, CapBnd: none, CapAmb: none }
  const fields = { Name: 'V8Worker', Uid: nobody, Gid: nobody, Groups: ' ', ...sets, NoNewPrivs: '1', ...changed }
  return Object.entries(fields)
    .map(([name, value]) => `${name}:\t${value}\n`)
    .join('')
}
const expected = { uid: 65534, gid: 65534, noGroups: true, noBoundingSet: true, kept: 0n }

test('a thread of nobody without capabilities has no privileges left', () => {
  assert.deepEqual(privilegesLeft(status(), expected), [])
})

test('each privilege that a thread kept is named', () => {
  const kept = {
    Uid: '65534\t65534\t0\t65534',
    Gid: '0\t0\t0\t0',
    Groups: '0 4 ',
    CapInh: '0000008000000000',
    CapPrm: '0000000000000001',
    CapEff: '0000000000000002',
    CapBnd: '000001ffffffffff',
    CapAmb: '0000000000000004',
    NoNewPrivs: '0'
  }
  for (const [name, value] of Object.entries(kept)) {
    assert.deepEqual(privilegesLeft(status({ [name]: value }), expected), [`${name}: ${value.trim()}`])
  }
  assert.deepEqual(privilegesLeft('Name:\tx\n', expected).length, Object.keys(kept).length)
})

test('groups and bounding set are not checked where they cannot be changed', () => {
  const given = status({ Groups: '4 ', CapBnd: '000000c000000000' })
  assert.deepEqual(privilegesLeft(given, { ...expected, noGroups: false, noBoundingSet: false }), [])
})

/** The output of another process that runs this module. */
const runModule = (script: string): string =>
  execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: join(import.meta.dirname, '../..') })
    .toString()
    .trim()

describe('root', { skip, timeout: 60_000 }, () => {
  test('learns that the user does not exist, or is root, before anything is dropped', () => {
    assert.throws(() => preparePrivilegeDrop('no-such-user'), { code: 'CONFIG', message: /no user "no-such-user"/ })
    assert.throws(() => preparePrivilegeDrop('root'), { code: 'CONFIG', message: /"root" is root/ })
    assert.equal(process.geteuid?.(), 0)
  })

  test('keeps its privileges when no user is named', () => {
    assert.match(preparePrivilegeDrop('')(), /keeping all privileges/)
    assert.equal(process.geteuid?.(), 0)
  })

  test('keeps only CAP_SYS_PTRACE, on every thread, to read executables of other users', () => {
    const output = runModule(`
      import { Worker } from 'node:worker_threads'
      import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
      import { preparePrivilegeDrop, privilegesLeft } from './producer/privileges.ts'
      for (let i = 0; i < 4; i++) new Worker('setInterval(() => {}, 1000)', { eval: true })
      preparePrivilegeDrop('nobody', true)()
      const expected = { uid: 65534, gid: 65534, noGroups: true, noBoundingSet: true, kept: 1n << 19n }
      const left = readdirSync('/proc/self/task').flatMap((id) =>
        privilegesLeft(readFileSync('/proc/self/task/' + id + '/status', 'utf8'), expected))
      console.log(JSON.stringify({ left, exe: readlinkSync('/proc/' + process.ppid + '/exe') }))
      process.exit()`)
    assert.deepEqual(JSON.parse(output), { left: [], exe: process.execPath })
  })

  test('becomes nobody on every thread, also on threads that start during and after the drop', () => {
    const output = runModule(`
      import { readFile, readdirSync, readFileSync } from 'node:fs'
      import { Worker } from 'node:worker_threads'
      import { setTimeout as sleep } from 'node:timers/promises'
      import { preparePrivilegeDrop, privilegesLeft } from './producer/privileges.ts'
      const startWorker = () => new Worker('setInterval(() => {}, 1000)', { eval: true })
      for (let i = 0; i < 4; i++) startWorker()
      preparePrivilegeDrop('nobody')()
      startWorker()
      readFile('/etc/passwd', () => {})
      await sleep(200)
      const expected = { uid: 65534, gid: 65534, noGroups: true, noBoundingSet: true, kept: 0n }
      const threads = readdirSync('/proc/self/task')
      const left = threads.flatMap((id) => privilegesLeft(readFileSync('/proc/self/task/' + id + '/status', 'utf8'), expected))
      console.log(JSON.stringify({ threads: threads.length, left }))
      process.exit()`)
    const { threads, left } = JSON.parse(output) as { threads: number; left: string[] }
    assert.deepEqual(left, [])
    assert.ok(threads >= 10, `${threads} threads`)
  })

  test('cannot become root again', () => {
    const output = runModule(`
      import { preparePrivilegeDrop } from './producer/privileges.ts'
      preparePrivilegeDrop('nobody')()
      for (const attempt of [() => process.setuid(0), () => process.setgid(0), () => process.setgroups([0])]) {
        try { attempt(); console.log('root again') } catch (error) { console.log(error.code) }
      }`)
    assert.deepEqual(output.split('\n'), ['EPERM', 'EPERM', 'EPERM'])
  })

  test('still reads its ring, changes its filter and detaches as nobody', { skip: privateCode() }, () => {
    const output = runModule(`
      import { execFileSync } from 'node:child_process'
      import { openLiveSource } from './producer/source/live-source.ts'
      import { preparePrivilegeDrop } from './producer/privileges.ts'
      import { callsOf, commOf, drain, program, quiet } from './test/bpf/observe.ts'
      const flood = program('flood')
      const source = await openLiveSource({ ...quiet, comms: ['nothing'] })
      preparePrivilegeDrop('nobody')()
      execFileSync(flood, ['10'])
      const before = drain(source).length
      source.setFilter({ pids: [], comms: [commOf('flood')], cgroups: [] })
      execFileSync(flood, ['100'])
      source.setFilter({ pids: [], comms: [], cgroups: [] })
      source.setCalls({ write: 'off' })
      execFileSync(flood, ['1000'])
      await source.detach()
      const events = drain(source).filter(({ comm }) => comm === commOf('flood'))
      const { dropped } = source.statistics()
      console.log(JSON.stringify({ before, writes: callsOf(events, 'write').length, dropped: dropped.io, ended: source.ended }))
      source.close()`)
    assert.deepEqual(JSON.parse(output), { before: 0, writes: 100, dropped: 0, ended: true })
  })
})
