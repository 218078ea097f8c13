// The events that a rule can name, and the class in which the edge declares their loss.
import { kindClasses, syscallClasses } from '../../wire/event-class.ts'
import type { Event, EventClass } from '../../wire/types.ts'

export type EventName = Exclude<keyof typeof syscallClasses, 'other'> | keyof typeof kindClasses | 'messages'

const { other: _, ...namedSyscalls } = syscallClasses
const classes: Readonly<Record<EventName, EventClass>> = { ...namedSyscalls, ...kindClasses, messages: 'network' }

/** System calls by name, and the kinds of events that are not calls. */
export const eventNames = Object.keys(classes) as [EventName, ...EventName[]]

export const isEventName = (name: string): name is EventName => (eventNames as readonly string[]).includes(name)

export const classOf = (name: EventName): EventClass => classes[name]

/** The name under which rules know an event. A request to io_uring has the name of the call that it stands for. */
export const nameOf = ({ kind, syscall }: Pick<Event, 'kind' | 'syscall'>): string =>
  kind === 'syscall' || kind === 'io_uring' ? syscall : kind
