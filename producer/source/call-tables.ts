// The tables that the BPF programs look a call up in, by ABI and number: its known call and its mode.
import {
  type CallMode,
  callEntry,
  callMode,
  classOfCall,
  type EventClass,
  eventClasses,
  knownCall
} from '../../bpf/event.ts'
import { RingsideError } from '../../runtime/errors.ts'
import { nearestNames } from '../../runtime/nearest.ts'
import { movesBytes } from '../../wire/bytes-moved.ts'
import { callNumbers, configurableCalls, knownCallOf, type NamedCall } from './call-names.ts'

/** Modes by the call's name; other calls have the mode of their class. */
export type CallModes = Readonly<Record<string, CallMode>>

const modeOfClass: Readonly<Record<EventClass, CallMode>> = {
  process: 'emit',
  network: 'emit',
  file: 'emit',
  io: 'count'
}

const noClass: ReadonlySet<EventClass> = new Set()

const fill = (architecture: string, entry: (call: NamedCall) => number): Uint8Array =>
  Uint8Array.from(callNumbers(architecture).flat(), entry)

/**
 * Fills ringside_config.call_of.
 * @param architecture as process.arch names it
 * @throws RingsideError OS for an architecture without tables
 */
export const callTable = (architecture: string = process.arch): Uint8Array =>
  fill(architecture, ({ name, call }) => knownCall[call] | (movesBytes.has(name) ? callEntry.movesBytes : 0))

/**
 * Fills ringside_config.mode_of.
 * @param reduced classes whose calls are counted instead of emitted
 * @throws RingsideError CONFIG with every unknown name, OS for an architecture without tables
 */
export const modeTable = (
  modes: CallModes,
  reduced: ReadonlySet<EventClass> = noClass,
  architecture: string = process.arch
): Uint8Array => {
  const unknown = Object.keys(modes).filter((name) => !configurableCalls.includes(name))
  if (unknown.length > 0) {
    const problems = unknown.map((name) => `"${name}" (similar: ${nearestNames(name, configurableCalls).join(', ')})`)
    throw new RingsideError('CONFIG', `unknown system call or io_uring operation in edge.calls: ${problems.join('; ')}`)
  }
  return fill(architecture, ({ name, call }) => {
    const eventClass = classOfCall[call]
    const mode = modes[name] ?? modes[knownCallOf(name)] ?? modeOfClass[eventClass]
    return callMode[mode === 'emit' && reduced.has(eventClass) ? 'count' : mode]
  })
}

/** Classes with an emitted call: those that can be reduced. */
export const emittingClasses = (modes: CallModes, architecture: string = process.arch): EventClass[] => {
  const whole = Buffer.from(modeTable(modes, noClass, architecture))
  return eventClasses.filter((name) => !whole.equals(modeTable(modes, new Set([name]), architecture)))
}
