// Selects the events of the audit log: those of the classes process and network.
import { syscallClasses } from '../../wire/event-class.ts'
import type { Event, EventClass } from '../../wire/types.ts'

const auditedClasses: ReadonlySet<EventClass> = new Set(['process', 'network'])

const skippedSyscalls: ReadonlySet<string> = new Set(
  Object.entries(syscallClasses).flatMap(([name, eventClass]) => (auditedClasses.has(eventClass) ? [] : name))
)

const eagain = -11

/**
 * True for an event that belongs in the audit log. A request to io_uring counts as the call it stands for. Kinds and
 * calls of a newer edge are kept: they may matter. An accept that returns EAGAIN is a poll that found no connection.
 */
export const isAudited = ({ kind, syscall, ret }: Pick<Event, 'kind' | 'syscall' | 'ret'>): boolean => {
  if (kind !== 'syscall' && kind !== 'io_uring') return true
  if (ret === eagain && (syscall === 'accept' || syscall === 'accept4')) return false
  return !skippedSyscalls.has(syscall)
}
