// The class of an event, as the BPF programs assign it: a batch does not carry it.
import { classOfCall, eventClasses } from '../bpf/event.ts'
import type { Event, EventClass } from './types.ts'

export { eventClasses }

const { none: _, ...classesOfCalls } = classOfCall
/** Every symbol of the Syscall enum of schemas/event_batch.avsc but none. */
export const syscallClasses = classesOfCalls

/** Kinds of events that are not calls. */
export const kindClasses = {
  exec: 'process',
  fork: 'process',
  exit: 'process',
  connect_outcome: 'network'
} as const satisfies Readonly<Record<string, EventClass>>

const classBySyscall: ReadonlyMap<string, EventClass> = new Map(Object.entries(syscallClasses))
const classByKind: ReadonlyMap<string, EventClass> = new Map(Object.entries(kindClasses))

/**
 * @param syscall a symbol of the Syscall enum of schemas/event_batch.avsc
 * @returns io for a symbol of a newer edge
 */
export const classOfSyscall = (syscall: string): EventClass => classBySyscall.get(syscall) ?? 'io'

/** The class whose ledger count includes the event. */
export const classOfEvent = ({ kind, syscall }: Pick<Event, 'kind' | 'syscall'>): EventClass =>
  classByKind.get(kind) ?? classOfSyscall(syscall)
