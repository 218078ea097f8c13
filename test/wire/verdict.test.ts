import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Rollups } from '../../consumer/rollups/rollups.ts'
import { columnsOf } from '../../wire/columns-of.ts'
import { errnoName, errnoNumber } from '../../wire/errno.ts'
import type { Event, Rollup } from '../../wire/types.ts'
import {
  verdictOf,
  verdictOfErrno,
  verdictOfErrnoName,
  verdictOfEvent,
  verdictRules,
  verdictTableOf
} from '../../wire/verdict.ts'
import { batchOf, contextOf, eventOf } from '../consumer/support/batches.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/verdicts.md'), 'utf8')
const codes = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(', ')

test('the page has the rows of the table, in its order', () => {
  const documented = page.split('\n').filter((line) => /\| (expected|interrupted) \|/.test(line))
  const rows = verdictRules.map(
    ({ calls, errnos, verdict, reason }) =>
      `| ${calls.length === 0 ? 'every call' : codes(calls)} | ${codes(errnos)} | ${verdict} | ${reason} |`
  )
  assert.deepEqual(documented, rows)
})

test('every errno of the table exists', () => {
  for (const { errnos } of verdictRules) {
    for (const errno of errnos) assert.equal(errnoName(-errnoNumber(errno)), errno)
  }
})

test('the table has no call and errno twice, also not once for every call and once for one', () => {
  const forEveryCall = new Set(verdictRules.flatMap(({ calls, errnos }) => (calls.length === 0 ? errnos : [])))
  const pairs = verdictRules.flatMap(({ calls, errnos }) =>
    calls.flatMap((call) => errnos.map((errno) => `${call} ${errno}`))
  )
  assert.deepEqual(
    pairs.filter((pair, i) => pairs.indexOf(pair) !== i),
    []
  )
  assert.deepEqual(
    pairs.filter((pair) => forEveryCall.has(pair.split(' ')[1] ?? '')),
    []
  )
})

for (const [call, errno, verdict] of [
  ['connect', 'EINPROGRESS', 'expected'],
  ['connect', 'ECONNREFUSED', 'failed'],
  ['connect', 'EADDRNOTAVAIL', 'failed'],
  ['connect', 'ECANCELED', 'interrupted'],
  ['read', 'EAGAIN', 'expected'],
  ['fork', 'EAGAIN', 'failed'],
  ['read', 'EIO', 'failed'],
  ['futex', 'ETIMEDOUT', 'expected'],
  ['connect', 'ETIMEDOUT', 'failed'],
  ['wait4', 'ECHILD', 'expected'],
  ['openat', 'ENOENT', 'expected'],
  ['openat', 'EACCES', 'failed'],
  ['openat', 'EMFILE', 'failed'],
  ['rename', 'ENOENT', 'failed'],
  ['accept4', 'ERESTARTSYS', 'interrupted'],
  ['nanosleep', 'ERESTART_RESTARTBLOCK', 'interrupted'],
  ['epoll_wait', 'EINTR', 'interrupted'],
  ['a_call_of_a_newer_kernel', 'EPERM', 'failed']
] as const) {
  test(`${errno} of ${call} is ${verdict}`, () => {
    assert.equal(verdictOfErrno(call, errnoNumber(errno)), verdict)
    assert.equal(verdictOf(call, -errnoNumber(errno)), verdict)
    assert.equal(verdictOfErrnoName(call, errno), verdict)
  })
}

test('a result that is no error is ok, also an address below -4095', () => {
  assert.deepEqual(
    [verdictOf('read', 0), verdictOf('read', 12), verdictOf('mmap', -140_000_000_000)],
    ['ok', 'ok', 'ok']
  )
})

test('an error number without a name is failed', () => {
  assert.deepEqual([verdictOfErrno('ioctl', 4000), verdictOfErrnoName('ioctl', 'E4000')], ['failed', 'failed'])
})

test('calls without a rule of their own share one table', () => {
  assert.equal(verdictTableOf('getpid'), verdictTableOf('close'))
  assert.notEqual(verdictTableOf('read'), verdictTableOf('close'))
})

test('the verdict of an event depends on its kind', () => {
  const verdict = (fields: Partial<Event>): string => verdictOfEvent(eventOf(fields))
  const outcome = { kind: 'connect_outcome', syscall: 'none' } as const
  assert.equal(verdict({ syscall: 'connect', ret: -115 }), 'expected')
  assert.equal(verdict({ ...outcome, ret: 0 }), 'ok')
  assert.equal(verdict({ ...outcome, ret: -111 }), 'failed')
  assert.equal(verdict({ ...outcome, ret: -125 }), 'interrupted')
  assert.equal(verdict({ syscall: 'other', call: 'futex', ret: -110 }), 'expected')
  assert.equal(verdict({ kind: 'io_uring', syscall: 'connect', call: 'io_uring_connect' }), 'unknown')
  const request = { kind: 'io_uring_outcome', syscall: 'openat', call: 'io_uring_openat' } as const
  assert.deepEqual([verdict({ ...request, ret: -2 }), verdict({ ...request, ret: -13 })], ['expected', 'failed'])
  assert.equal(verdict({ kind: 'exit', syscall: 'none', ret: 256 }), 'ok')
})

test('an error that a seccomp filter gave is failed, whatever its errno', () => {
  const refused = { syscall: 'openat', entered: false }
  assert.equal(verdictOfEvent(eventOf({ ...refused, ret: -2 })), 'failed')
  assert.equal(verdictOfEvent(eventOf({ ...refused, ret: 0 })), 'ok')
})

/** The connect row of a service that makes these events. */
const connectsOf = (events: Event[]): Rollup | undefined => {
  const options = { windowsMs: [1000], by: [], partialAfterMs: 0, maxKeys: 100, latenessMs: 1000 }
  const outputs = new Rollups(options).handle(columnsOf(batchOf({ events, final: true })), contextOf(0n))
  return outputs.flatMap((output) => (output.to === 'rollups' ? output.value : [])).find(({ by }) => by === 'workload')
}

test('a Go service whose every connect returns EINPROGRESS and succeeds has no failed calls', () => {
  const connects = Array.from({ length: 284 }, () => [
    eventOf({ syscall: 'connect', ret: -115 }),
    eventOf({ kind: 'connect_outcome', syscall: 'none', ret: 0 })
  ]).flat()
  const { syscall, count, failed, expected, errnos } = connectsOf(connects) ?? assert.fail()
  assert.deepEqual(
    { syscall, count, failed, expected, errnos },
    { syscall: 'connect', count: 284, failed: 0, expected: 284, errnos: [{ errno: 'EINPROGRESS', count: 284 }] }
  )
  assert.equal(connects.filter((event) => verdictOfEvent(event) === 'failed').length, 0)
})

test('a connect that is refused after EINPROGRESS is one call and one failure', () => {
  const { count, failed, errnos } =
    connectsOf([
      eventOf({ syscall: 'connect', ret: -115 }),
      eventOf({ kind: 'connect_outcome', syscall: 'none', ret: -111 })
    ]) ?? assert.fail()
  assert.deepEqual([count, failed, errnos.map(({ errno }) => errno)], [1, 1, ['ECONNREFUSED', 'EINPROGRESS']])
})
