// Selects the events of the audit log: those of the classes process and network.
import { syscallClasses } from '../../wire/event-class.ts'
import type { Event, EventClass, EventKind } from '../../wire/types.ts'

const auditedClasses: ReadonlySet<EventClass> = new Set(['process', 'network'])

const skippedSyscalls: ReadonlySet<string> = new Set(
  Object.entries(syscallClasses).flatMap(([name, eventClass]) => (auditedClasses.has(eventClass) ? [] : name))
)

/** Kinds of events with a call: the class is the call's. */
const kindsOfCalls: ReadonlySet<EventKind> = new Set(['syscall', 'io_uring', 'io_uring_outcome', 'messages'])

const eagain = -11

/**
 * True for an event that belongs in the audit log. A request to io_uring counts as the call it stands for. Kinds and
 * calls of a newer edge are kept: they may matter. An accept that returns EAGAIN is a poll that found no connection.
 */
export const isAudited = ({ kind, syscall, ret }: Pick<Event, 'kind' | 'syscall' | 'ret'>): boolean => {
  if (!kindsOfCalls.has(kind)) return true
  if (ret === eagain && (syscall === 'accept' || syscall === 'accept4')) return false
  return !skippedSyscalls.has(syscall)
}
