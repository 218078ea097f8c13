import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Alerts } from '../../../consumer/alerts/alerts.ts'
import { maxMetadataBytes, type Output } from '../../../consumer/handler.ts'
import type { Alert, Event, EventBatch } from '../../../wire/types.ts'
import { batchOf, contextOf, eventOf, processOf, socketOf, summaryOf } from '../support/batches.ts'
import { random } from '../support/random.ts'
import { ruleOf } from '../support/rule-files.ts'

const beganUs = 1_000_000_000
const epochUs = 1_767_225_600_000_000
const remote = socketOf({ local_address: '10.0.0.1', remote_address: '203.0.113.9', remote_port: 443 })

/** A batch `seconds` after the first. */
const at = (seconds: number, events: readonly Event[], fields: Partial<EventBatch> = {}): EventBatch =>
  batchOf({
    batch: Math.round(seconds * 10) + 1,
    clock: { monotonic_us: beganUs + seconds * 1e6, wall_us: epochUs + seconds * 1e6 },
    sockets: [remote],
    events: [...events],
    ...fields
  })

const connects = (count: number, fields: Partial<Event> = {}): Event[] =>
  Array.from({ length: count }, () => eventOf({ syscall: 'connect', socket: 0, ret: -115, ...fields }))

const alertsOf = (outputs: Iterable<Output>): Alert[] => [...outputs].map(({ value }) => value as Alert)

const options = { maxEntities: 100 }
const rule = ruleOf({ threshold: { count: 3, windowSeconds: 60 }, cooldownSeconds: 60 })

const run = (handler: Alerts, batches: readonly EventBatch[]): Alert[][] =>
  batches.map((batch, offset) => alertsOf(handler.handle(batch, contextOf(BigInt(offset)))))

const briefly = (alerts: readonly Alert[]): [number, number][] => alerts.map(({ revision, count }) => [revision, count])

describe('alerts', () => {
  test('an alert is raised at the threshold, updated every 10 s while it grows, and once more when it ends', () => {
    const found = run(new Alerts(options, [rule]), [
      at(0, connects(2)),
      at(1, connects(2)),
      at(5, connects(1)),
      at(11, connects(1)),
      at(12, connects(1)),
      at(30, []),
      at(71, []),
      at(72, []),
      at(80, [])
    ])
    assert.deepEqual(found.map(briefly), [[], [[1, 4]], [], [[2, 6]], [], [[3, 7]], [], [], []])
  })

  test('calls beyond the bound of a process count with its events, which are the evidence', () => {
    const limited = (count: number, seconds: number): Partial<EventBatch> => ({
      summaries: [summaryOf({ syscall: 'connect', limited: count, count, time_offset_ns: -seconds * 1e9 })]
    })
    const flood = run(new Alerts(options, [rule]), [
      at(1, connects(1), limited(5, 0)),
      at(2, connects(1), limited(7, 0))
    ])
    assert.deepEqual(flood.map(briefly), [[], [[1, 10]]])
    const [alert] = flood.flat()
    assert.ok(alert?.evidence.length === 1 && alert.evidence.every(({ cpu }) => cpu >= 0))
    const other = run(new Alerts(options, [rule]), [
      at(1, [], limited(5, 0)),
      at(2, connects(1)),
      at(70, [], limited(5, 0)),
      at(71, connects(1))
    ])
    assert.deepEqual(other.flat(), [], 'no event of the process met the condition within the window')
  })

  test('growth after the last update is published when the alert ends', () => {
    const found = run(new Alerts(options, [rule]), [at(0, connects(3)), at(1, connects(1)), at(200, [])])
    assert.deepEqual(found.map(briefly), [[[1, 3]], [], [[2, 4]]])
  })

  test('the final batch of a run publishes all growth, and the next run continues the alert', () => {
    const found = run(new Alerts(options, [rule]), [
      at(0, connects(3)),
      at(1, connects(2), { final: true }),
      at(20, connects(1), { run: 'run-2', batch: 1 })
    ])
    assert.deepEqual(found.map(briefly), [[[1, 3]], [[2, 5]], [[3, 6]]])
    assert.equal(new Set(found.flat().map(({ id }) => id)).size, 1)
  })

  test('after the cooldown the next burst is another alert', () => {
    const found = run(new Alerts(options, [rule]), [at(0, connects(3)), at(60, connects(3))]).flat()
    assert.deepEqual(briefly(found), [
      [1, 3],
      [1, 3]
    ])
    assert.equal(new Set(found.map(({ id }) => id)).size, 2)
  })

  test('an alert has an explanation, reasons, and the identities of its events', () => {
    const events = Array.from({ length: 30 }, (_, i) =>
      eventOf({ syscall: 'connect', socket: 0, cpu: i % 2, seq: 1e15 + i, time_offset_ns: (i - 30) * 1e6 })
    )
    const [alert] = run(new Alerts(options, [rule]), [at(1, events)]).flat()
    const { id, evidence, ...rest } = alert ?? assert.fail()
    assert.match(id, /^[0-9a-f]{32}$/)
    assert.deepEqual(
      evidence,
      [0, 1, 2].map((i) => ({ host: 'host-a', boot: 'boot-1', cpu: i % 2, seq: 1e15 + i }))
    )
    assert.deepEqual(rest, {
      revision: 1,
      rule: 'test_rule',
      rule_version: 1,
      title: 'A test',
      attack: 'T1046',
      severity: 'notice',
      host: 'host-a',
      entity: '/usr/bin/client',
      workload: '/usr/bin/client',
      exe: '/usr/bin/client',
      comm: 'client',
      pid: 100,
      first_seen: epochUs + 970_000,
      last_seen: epochUs + 999_000,
      count: 30,
      explanation: 'client made 30 connects.',
      reasons: [
        {
          condition: 'connect within 60 s, by workload and exe',
          value: '30 events in 0 s',
          threshold: 'at least 3'
        },
        { condition: 'external', value: 'external = true', threshold: 'true' }
      ],
      lost_events: 0
    })
  })

  test('an alert counts the lost events of its classes since its first event', () => {
    const lost = (count: number, of: 'network' | 'io' = 'network') => ({
      drops: [{ class: of, reason: 'ring_full' as const, count }]
    })
    const found = run(new Alerts(options, [rule]), [
      at(0, [], lost(1000)),
      at(1, connects(1)),
      at(2, connects(1), lost(5)),
      at(3, connects(1), lost(7, 'io')),
      at(4, connects(1), lost(2)),
      at(20, connects(1))
    ]).flat()
    assert.deepEqual(
      found.map(({ revision, lost_events }) => [revision, lost_events]),
      [
        [1, 5],
        [2, 7]
      ]
    )
  })

  test('a connect through io_uring is a connect with an unknown outcome', () => {
    const through = connects(3, { kind: 'io_uring', call: 'io_uring_connect', ret: 0 })
    const found = (condition: string): number =>
      run(new Alerts(options, [ruleOf({ condition })]), [at(0, through)]).flat().length
    assert.equal(found('external && syscall == "connect"'), 1)
    assert.equal(found('external && kind == "io_uring" && ret == -1 && errno == ""'), 1)
    assert.equal(found('external && ret >= 0'), 0)
  })

  test('a reboot ends the need for earlier batches, and for their losses', () => {
    const handler = new Alerts(options, [rule])
    const lost = [{ class: 'network', reason: 'ring_full', count: 5 }] as const
    run(handler, [at(100_000, [], { drops: [...lost] }), at(100_001, [])])
    const reboot = { boot: 'boot-2', run: 'run-2' }
    const after = Array.from({ length: 100 }, (_, i) => at(i, i === 99 ? connects(3) : [], { ...reboot, batch: i + 1 }))
    const [alert] = after.flatMap((batch, i) => alertsOf(handler.handle(batch, contextOf(BigInt(i + 2)))))
    assert.equal(alert?.lost_events, 0)
    // The batch at 39 s: 99 s after the boot, minus the rule's window of 60 s.
    assert.equal(handler.checkpoint().resumeOffset, 41n)
  })

  test('a reboot ends an alert that was restored, also without its batches', () => {
    const before = new Alerts(options, [rule])
    run(before, [at(100_000, connects(3))])
    const after = new Alerts(options, [rule])
    after.restore(before.checkpoint().metadata)
    const reboot = at(5, connects(3), { boot: 'boot-2', run: 'run-2', batch: 1 })
    assert.deepEqual(briefly(alertsOf(after.handle(reboot, contextOf(9n)))), [[1, 3]])
  })

  test('hosts are counted separately', () => {
    const found = run(new Alerts(options, [rule]), [
      at(0, connects(2), { host: 'a' }),
      at(0, connects(2), { host: 'b' }),
      at(1, connects(1), { host: 'b' })
    ]).flat()
    assert.deepEqual(
      found.map(({ host, count }) => [host, count]),
      [['b', 3]]
    )
  })

  test('a stepped wall clock does not split a burst', () => {
    const step = (seconds: number, hours: number): EventBatch =>
      at(seconds, connects(1), {
        clock: { monotonic_us: beganUs + seconds * 1e6, wall_us: epochUs + seconds * 1e6 + hours * 3600e6 }
      })
    const found = run(new Alerts(options, [rule]), [step(0, 0), step(1, 1), step(2, 0), step(3, -1)]).flat()
    assert.deepEqual(briefly(found), [[1, 3]])
  })

  test('a reboot ends every alert and resets the counts', () => {
    const found = run(new Alerts(options, [rule]), [
      at(0, connects(3)),
      at(1, connects(1)),
      at(2, connects(2), { boot: 'boot-2', run: 'run-2' })
    ])
    assert.deepEqual(found.map(briefly), [[[1, 3]], [], [[2, 4]]])
  })

  test('a rule can count distinct values instead of events', () => {
    const distinct = ruleOf({ threshold: { count: 3, windowSeconds: 60, distinct: 'remote_port' } })
    const sockets = [80, 81, 82].map((remote_port) => socketOf({ remote_address: '203.0.113.9', remote_port }))
    const to = (socket: number, count: number) => connects(count, { socket })
    const found = run(new Alerts(options, [distinct]), [
      at(0, [...to(0, 50), ...to(1, 50)], { sockets }),
      at(1, to(2, 1), { sockets })
    ])
    assert.deepEqual(found.map(briefly), [[], [[1, 101]]])
  })

  test('beyond the bound, the entity that was quiet for longest is evicted', () => {
    const handler = new Alerts({ maxEntities: 2 }, [rule])
    const from = (seconds: number, exe: string, count: number): EventBatch =>
      at(seconds, connects(count), { processes: [processOf({ exe })] })
    const found = run(handler, [from(0, 'a', 2), from(1, 'b', 2), from(2, 'c', 2), from(3, 'a', 1), from(4, 'c', 1)])
    assert.deepEqual(
      found.flat().map(({ exe }) => exe),
      ['c']
    )
    assert.equal(handler.counters()['evicted'], 2)
  })

  for (let seed = 1; seed <= 10; seed++) {
    test(`processes that are killed raise the same alerts in stream ${seed}`, () => {
      const next = random(seed)
      const pick = (below: number): number => Math.floor(next() * below)
      let seconds = 0
      let loud = 0
      const log = Array.from({ length: 600 }, (_, i) => {
        seconds += next() < 0.01 ? 70 : 0.5 + next()
        if (next() < 0.05) loud = pick(4)
        const exe = ['/a', '/b', '/c', '/d'][next() < 0.7 ? loud : pick(4)] as string
        return at(seconds, connects(pick(3)), { batch: i + 1, processes: [processOf({ exe })] })
      })
      const burstRule = ruleOf({ threshold: { count: 25, windowSeconds: 30 }, cooldownSeconds: 30 })
      const truth = run(new Alerts(options, [burstRule]), log).flat()
      assert.ok(truth.some(({ revision }) => revision > 2))

      const found: Alert[] = []
      let kills = 0
      let committed = { offset: 0, metadata: '' }
      for (let done = false; !done; kills++) {
        const handler = new Alerts(options, [burstRule])
        handler.restore(committed.metadata)
        for (let offset = committed.offset; offset <= log.length; offset++) {
          done = offset === log.length
          if (done || (kills < 10 && next() < 0.02)) break
          found.push(...alertsOf(handler.handle(log[offset] as EventBatch, contextOf(BigInt(offset)))))
          if (next() > 0.3) continue
          const { resumeOffset, metadata } = handler.checkpoint()
          assert.ok(Buffer.byteLength(metadata) <= maxMetadataBytes)
          committed = { offset: Number(resumeOffset), metadata }
        }
      }
      assert.ok(kills > 2)
      const byRevision = (alerts: readonly Alert[]): Map<string, Alert> =>
        new Map(alerts.map((alert) => [`${alert.id} ${alert.revision}`, alert]))
      assert.deepEqual(byRevision(found), byRevision(truth))
    })
  }

  test('alerts that fit into the checkpoint continue after a restart', () => {
    const perPid = ruleOf({ entity: ['pid'] })
    const processes = Array.from({ length: 200 }, (_, i) => processOf({ pid: i + 1, exe: `/opt/${'x'.repeat(100)}` }))
    const events = processes.flatMap((_, process) => connects(3, { process }))
    const handler = new Alerts({ maxEntities: 1000 }, [perPid])
    assert.equal(run(handler, [at(0, events, { processes })]).flat().length, 200)
    const { resumeOffset, metadata } = handler.checkpoint()
    assert.ok(Buffer.byteLength(metadata) <= maxMetadataBytes, `${Buffer.byteLength(metadata)} bytes`)

    const restarted = new Alerts({ maxEntities: 1000 }, [perPid])
    restarted.restore(metadata)
    assert.equal(resumeOffset, 0n)
    restarted.handle(at(0, events, { processes }), contextOf(0n))
    const grown = processes.flatMap((_, process) => connects(1, { process }))
    const updates = alertsOf(restarted.handle(at(11, grown, { processes, batch: 2 }), contextOf(1n)))
    assert.ok(updates.filter(({ revision, count }) => revision === 2 && count === 4).length >= 4)
  })

  test('announced ports survive a restart', () => {
    const accepts = ruleOf({
      events: ['accept4'],
      condition: '!announced',
      entity: ['local_port'],
      threshold: { count: 1, windowSeconds: 1 }
    })
    const server = { sockets: [socketOf({ local_port: 8080 })], processes: [processOf({ start_us: beganUs + 30e6 })] }
    const accept = at(100, [eventOf({ syscall: 'accept4', socket: 0, ret: 5 })], { ...server, batch: 4 })
    const handler = new Alerts(options, [accepts])
    run(handler, [
      at(0, []),
      at(40, [eventOf({ syscall: 'listen', socket: 0 })], { ...server, batch: 2 }),
      at(60, [], { batch: 3 })
    ])
    const restarted = new Alerts(options, [accepts])
    restarted.restore(handler.checkpoint().metadata)
    assert.equal(handler.checkpoint().resumeOffset, 1n)
    restarted.handle(at(60, [], { batch: 3 }), contextOf(2n))
    assert.deepEqual(alertsOf(restarted.handle(accept, contextOf(3n))), [])
  })
})
