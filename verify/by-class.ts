// One number for each event class.
import { eventClasses } from '../wire/event-class.ts'
import type { EventClass } from '../wire/types.ts'

export type ByClass = Record<EventClass, number>

export const noneByClass = (): ByClass => ({ process: 0, network: 0, file: 0, io: 0 })

export const sumOfClasses = (counts: Readonly<ByClass>): number =>
  eventClasses.reduce((sum, name) => sum + counts[name], 0)
