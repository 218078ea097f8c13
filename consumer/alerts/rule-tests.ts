// The evidence of a rule: the events of its test cases go through the real handler, as the batches that an
// edge would make of them.
import { pino } from 'pino'
import type { Alert, Event, EventBatch, Process, Socket } from '../../wire/types.ts'
import { Alerts } from './alerts.ts'
import type { Rule, RuleTest, RuleTestEvent } from './rule.ts'

const startUs = 1_000_000_000
const epochUs = 1_767_225_600_000_000
const batchUs = 100_000
const otherKinds = new Set(['exec', 'fork', 'exit', 'socket_state'])
const silent = pino({ level: 'silent' })

export interface RuleTestResult {
  readonly test: RuleTest
  /** Every revision, in order. */
  readonly alerts: readonly Alert[]
  /** Different alerts: what `raises` says. */
  readonly raised: number
  readonly passed: boolean
}

interface Timed {
  /** CLOCK_MONOTONIC, microseconds. */
  readonly timeUs: number
  readonly number: number
  readonly of: RuleTestEvent
}

const timesOf = (test: RuleTest): Timed[] => {
  let timeUs = startUs
  return test.events.flatMap((event) => {
    timeUs += event.after * 1e6
    const timed = Array.from({ length: event.times }, (_, number) => ({
      timeUs: timeUs + Math.round(number * event.every * 1e6),
      number,
      of: event
    }))
    timeUs = timed.at(-1)?.timeUs ?? timeUs
    return timed
  })
}

const endpointOf = (text: string | undefined, number: number): { address: Buffer; port: number } => {
  const [address = '', port = '0'] = (text ?? '0.0.0.0:0').split(':')
  const bytes = address.split('.').map((part) => (part === '*' ? 1 + (number % 250) : Number(part)))
  return { address: Buffer.from(bytes), port: Number(port) }
}

const socketOf = ({ local, remote, protocol }: RuleTestEvent, number: number): Socket => {
  const here = endpointOf(local, number)
  const there = endpointOf(remote, number)
  return {
    family: 2,
    type: protocol === 'tcp' ? 1 : 2,
    protocol: protocol === 'tcp' ? 6 : 17,
    netns: 4_026_531_840,
    local_address: here.address,
    local_port: here.port,
    remote_address: there.address,
    remote_port: there.port
  }
}

const processOf = ({ pid, ppid, comm, exe, container, began }: RuleTestEvent): Process => ({
  pid,
  start_us: startUs + began * 1e6,
  ppid,
  uid: 1000,
  comm,
  exe,
  container_id: container ?? null,
  cgroup_id: 1
})

const eventOf = ({ of, timeUs }: Timed, index: number, clockUs: number, seq: number): Event => ({
  kind: otherKinds.has(of.event) ? (of.event as Event['kind']) : 'syscall',
  syscall: of.event === 'socket_state' ? 'connect' : otherKinds.has(of.event) ? 'none' : of.event,
  process: index,
  socket: of.local === undefined && of.remote === undefined ? -1 : index,
  cpu: 0,
  seq,
  time_offset_ns: (timeUs - clockUs) * 1000,
  duration_ns: 1000,
  tid: of.pid,
  ret: of.ret,
  fd: 3,
  path: of.path ?? null,
  path_truncated: false,
  call: null,
  path_to: null,
  arg: -1,
  target_pid: -1,
  stack: -1
})

const batchesOf = (test: RuleTest, quietUs: number): EventBatch[] => {
  const timed = timesOf(test)
  const batches: EventBatch[] = []
  let seq = 0
  const add = (clockUs: number, events: readonly Timed[]): void => {
    batches.push({
      host: 'test',
      boot: 'test',
      agent: 'test',
      run: 'test',
      batch: batches.length + 1,
      continues: null,
      final: false,
      clock: { monotonic_us: clockUs, wall_us: epochUs + clockUs },
      counted_until_us: -1,
      sequences: [],
      drops: [],
      processes: events.map(({ of }) => processOf(of)),
      sockets: events.map(({ of, number }) => socketOf(of, number)),
      stacks: [],
      events: events.map((event, index) => eventOf(event, index, clockUs, ++seq)),
      summaries: [],
      ledger: null
    })
  }
  add(startUs, [])
  const bySlot = Map.groupBy(timed, ({ timeUs }) => Math.floor(timeUs / batchUs) + 1)
  for (const [slot, events] of bySlot) add(slot * batchUs, events)
  add((batches.at(-1)?.clock.monotonic_us ?? startUs) + quietUs, [])
  return batches
}

/** Runs one case of a rule; a quiet time at the end lets every alert end. */
export const runRuleTest = (rule: Rule, test: RuleTest): RuleTestResult => {
  const handler = new Alerts({ maxEntities: 10_000 }, [rule])
  const alerts = batchesOf(test, rule.cooldownSeconds * 1e6).flatMap((batch, offset) =>
    handler
      .handle(batch, { topic: 'test', partition: 0, offset: BigInt(offset), log: silent })
      .map(({ value }) => value as Alert)
  )
  const raised = new Set(alerts.map(({ id }) => id)).size
  return { test, alerts, raised, passed: raised === test.raises }
}
