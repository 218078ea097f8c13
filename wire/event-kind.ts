// The kinds of events, in the order of the schema's enum EventKind.
import { recordKinds } from '../bpf/event.ts'
import type { EventKind } from './types.ts'

export const eventKinds: readonly EventKind[] = recordKinds.filter((kind) => kind !== 'summary')
