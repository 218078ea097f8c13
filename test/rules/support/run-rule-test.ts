// Runs a test case of a rule: its events go through the alerts handler, in batches like those of an edge.
import { Alerts } from '../../../consumer/alerts/alerts.ts'
import type { Rule } from '../../../consumer/alerts/rule.ts'
import type { RuleTest, RuleTestEvent } from '../../../consumer/alerts/rule-file.ts'
import { errnoName } from '../../../wire/errno.ts'
import { kindClasses } from '../../../wire/event-class.ts'
import type { Alert, Event, EventBatch, Process, Socket } from '../../../wire/types.ts'
import { batchOf, contextOf, eventOf, processOf, socketOf } from '../../consumer/support/batches.ts'

const startUs = 1_000_000_000
const epochUs = 1_767_225_600_000_000
const batchUs = 100_000

export interface RuleTestResult {
  /** Every revision, in order. */
  readonly alerts: readonly Alert[]
  /** Number of different alerts, to compare with `raises`. */
  readonly raised: number
}

interface TimedEvent {
  /** CLOCK_MONOTONIC, microseconds. */
  readonly timeUs: number
  /** 0, 1, 2 … of `times`. */
  readonly number: number
  readonly event: RuleTestEvent
}

const timedEventsOf = (test: RuleTest): TimedEvent[] => {
  let timeUs = startUs
  return test.events.flatMap((event) => {
    timeUs += event.after * 1e6
    const timed = Array.from({ length: event.times }, (_, number) => ({
      timeUs: timeUs + Math.round(number * event.every * 1e6),
      number,
      event
    }))
    timeUs = timed.at(-1)?.timeUs ?? timeUs
    return timed
  })
}

const endpointOf = (text: string | undefined, number: number): { address: string; port: number } => {
  const [address = '', port = '0'] = (text ?? '0.0.0.0:0').split(':')
  return { address: address.replace('*', String(1 + (number % 250))), port: Number(port) }
}

const socketFor = ({ event: { local, remote, protocol }, number }: TimedEvent): Socket => {
  const { address: local_address, port: local_port } = endpointOf(local, number)
  const { address: remote_address, port: remote_port } = endpointOf(remote, number)
  const ends = { local_address, local_port, remote_address, remote_port }
  return socketOf(protocol === 'tcp' ? { ...ends, type: 1, protocol: 6 } : { ...ends, type: 2, protocol: 17 })
}

const processFor = ({ event: { pid, ppid, comm, exe, container, began } }: TimedEvent): Process =>
  processOf({ pid, start_us: startUs + began * 1e6, ppid, comm, exe, container_id: container ?? null })

const callOf = (name: string): Pick<Event, 'kind' | 'syscall'> => {
  if (name === 'messages') return { kind: 'messages', syscall: 'sendmmsg' }
  if (!(name in kindClasses)) return { kind: 'syscall', syscall: name }
  return { kind: name as keyof typeof kindClasses, syscall: 'none' }
}

const isFinal = (ret: number): boolean => !['EINPROGRESS', 'EINTR', 'ERESTARTSYS'].includes(errnoName(ret) ?? '')

/** Gives each outcome the identity of the first connect that still waits for one, as the edge does. */
const nameCalls = (events: readonly Event[], waiting: Event[]): void => {
  for (const event of events) {
    if (event.syscall === 'connect' && !isFinal(event.ret)) waiting.push(event)
    if (event.kind !== 'connect_outcome') continue
    const call = waiting.shift()
    if (call !== undefined) Object.assign(event, { call_cpu: call.cpu, call_seq: call.seq })
  }
}

const eventFor = ({ event, timeUs }: TimedEvent, index: number, clockUs: number): Event =>
  eventOf({
    ...callOf(event.event),
    address_given: event.addressGiven,
    argument_changed: event.argumentChanged,
    process: index,
    socket: event.local === undefined && event.remote === undefined ? -1 : index,
    time_offset_ns: (timeUs - clockUs) * 1000,
    tid: event.pid,
    ret: event.ret,
    messages: event.messages ?? -1,
    path: event.path ?? null,
    path_to: event.pathTo ?? null,
    path_given: event.pathGiven ?? null,
    path_opened: event.pathOpened,
    path_truncated: event.pathTruncated,
    path_deleted: event.pathDeleted,
    arg: event.arg,
    target_pid: event.targetPid
  })

/** Batches of 100 ms, and a last one after `quietUs`. */
const batchesOf = (test: RuleTest, quietUs: number): EventBatch[] => {
  const batches: EventBatch[] = []
  const waiting: Event[] = []
  const add = (clockUs: number, timed: readonly TimedEvent[]): void => {
    const events = timed.map((each, index) => eventFor(each, index, clockUs))
    nameCalls(events, waiting)
    batches.push(
      batchOf({
        batch: batches.length + 1,
        clock: { monotonic_us: clockUs, wall_us: epochUs + clockUs },
        processes: timed.map(processFor),
        sockets: timed.map(socketFor),
        events
      })
    )
  }
  add(startUs, [])
  const bySlot = Map.groupBy(timedEventsOf(test), ({ timeUs }) => Math.floor(timeUs / batchUs) + 1)
  for (const [slot, timed] of bySlot) add(slot * batchUs, timed)
  add((batches.at(-1)?.clock.monotonic_us ?? startUs) + quietUs, [])
  return batches
}

/** Runs one case of a rule, followed by a quiet time that ends every alert. */
export const runRuleTest = (rule: Rule, test: RuleTest): RuleTestResult => {
  const handler = new Alerts({ maxEntities: 10_000 }, [rule])
  const alerts = batchesOf(test, rule.cooldownSeconds * 1e6).flatMap((batch, offset) =>
    handler.handle(batch, contextOf(BigInt(offset))).map(({ value }) => value as Alert)
  )
  return { alerts, raised: new Set(alerts.map(({ id }) => id)).size }
}
