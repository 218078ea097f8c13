// Writes bpf/event.ts: the numbers, offsets and names of bpf/event.h and bpf/calls.h, read from build/ringside.bpf.o.
// Run it after a change to them: npm run build && node scripts/generate-event.ts
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Contract } from '../native/ring/addon.ts'
import { readContract } from '../native/ring/contract.ts'
import { RingsideError } from '../runtime/errors.ts'

export const eventPath = join(import.meta.dirname, '../bpf/event.ts')

/** Enums whose constants are exported one by one. */
const flatEnums = ['ringside_limit', 'ringside_record']

interface ObjectEnum {
  readonly name: string
  /** Name of the list of all keys, for an enum that counts from 0 in steps of 1. */
  readonly list?: string
  /** The constant behind the last key; those behind it are exported one by one. */
  readonly end?: string
}

/** Enums that are exported as objects. */
const objectEnums = {
  ringside_abi: { name: 'abi', list: 'abis', end: 'RINGSIDE_ABI_COUNT' },
  ringside_kind: { name: 'recordKind', list: 'recordKinds' },
  ringside_class: { name: 'eventClass', list: 'eventClasses', end: 'RINGSIDE_CLASS_COUNT' },
  ringside_lane: { name: 'lane', list: 'lanes', end: 'RINGSIDE_LANE_COUNT' },
  ringside_call: { name: 'knownCall', list: 'knownCalls', end: 'RINGSIDE_CALL_COUNT' },
  ringside_call_entry: { name: 'callEntry' },
  ringside_mode: { name: 'callMode', list: 'callModes' },
  ringside_flag: { name: 'eventFlag' },
  ringside_measure: { name: 'measure' }
} as const satisfies Readonly<Record<string, ObjectEnum>>

/** Structs whose offsets are exported as objects. */
const structs = ['ringside_event', 'ringside_summary', 'ringside_cell', 'ringside_counters']

const prefix = 'RINGSIDE_'

const camelCase = (name: string): string =>
  name.toLowerCase().replaceAll(/[_.](\w)/g, (_, letter: string) => letter.toUpperCase())

const capitalized = (name: string): string => `${name[0]?.toUpperCase()}${name.slice(1)}`

const formatObject = (comment: string, name: string, entries: readonly (readonly [string, unknown])[]): string[] => [
  `/** ${comment} */`,
  `export const ${name} = {`,
  entries.map(([key, value]) => `  ${key}: ${value}`).join(',\n'),
  '} as const',
  ''
]

const formatConstant = ([name, value]: readonly [string, number]): string =>
  `export const ${camelCase(name.slice(prefix.length))} = ${value}`

const constantsOf = (contract: Contract, enumName: string): [string, number][] => {
  const constants = contract.enums[enumName]
  if (constants === undefined) {
    const message = `the BPF object has no enum ${enumName}: add it to struct contract of bpf/ringside.bpf.c, then npm run build`
    throw new RingsideError('DATA', message)
  }
  return Object.entries(constants)
}

/** The prefix of all names, up to an underscore. */
const sharedPrefix = (names: readonly string[]): string => {
  const parts = names[0]?.split('_').slice(0, -1) ?? []
  while (!names.every((name) => name.startsWith(parts.join('_')))) parts.pop()
  return `${parts.join('_')}_`
}

/** Keys and values of an object, and the constants behind them. */
const splitEnum = (contract: Contract, enumName: string, { list, end }: ObjectEnum) => {
  const constants = constantsOf(contract, enumName)
  const endAt = constants.findIndex(([name]) => name === end)
  const members = endAt < 0 ? constants : constants.slice(0, endAt)
  const shared = sharedPrefix(members.map(([name]) => name))
  // Names of a list keep their underscores: they are symbols of the schema.
  const key = list === undefined ? camelCase : (name: string) => name.toLowerCase()
  const entries = members.map(([name, value]) => [key(name.slice(shared.length)), value] as const)
  return { entries, rest: endAt < 0 ? [] : constants.slice(endAt + 1) }
}

const formatEnum = (contract: Contract, enumName: string, options: ObjectEnum): string[] => {
  const { name, list } = options
  const { entries, rest } = splitEnum(contract, enumName, options)
  if (list !== undefined && entries.some(([, value], index) => value !== index)) {
    throw new RingsideError('DATA', `enum ${enumName} does not count from 0 in steps of 1, as a list must`)
  }
  const type = capitalized(name)
  const names = [
    `export type ${type} = keyof typeof ${name}`,
    `export const ${list} = Object.keys(${name}) as readonly ${type}[]`,
    ''
  ]
  return [
    ...formatObject(`enum ${enumName}`, name, entries),
    ...(list === undefined ? [] : names),
    ...rest.flatMap((constant) => [formatConstant(constant), ''])
  ]
}

const formatStruct = (contract: Contract, structName: string): string[] => {
  const layout = contract.structs[structName]
  if (layout === undefined) throw new RingsideError('DATA', `no struct ${structName} in the BPF object`)
  const { bytes, fields } = layout
  const name = camelCase(structName.slice(prefix.length))
  const all = Object.keys(fields)
  const isParent = (field: string): boolean => all.some((other) => other.startsWith(`${field}.`))
  const leaves = Object.entries(fields).filter(([field]) => !isParent(field) && !/(^|\.)reserved$/.test(field))
  const hasTail = Object.values(fields).includes(bytes)
  const object = formatObject(
    `Byte offsets in struct ${structName}`,
    `${name}Field`,
    leaves.map(([field, offset]) => [camelCase(field), offset] as const)
  )
  return [
    hasTail ? '/** Bytes before the array that ends the struct. */' : `/** sizeof(struct ${structName}) */`,
    `export const ${name}${hasTail ? 'HeaderBytes' : 'Bytes'} = ${bytes}`,
    ...object
  ]
}

const namesOf = (contract: Contract, enumName: keyof typeof objectEnums): string[] =>
  splitEnum(contract, enumName, objectEnums[enumName]).entries.map(([name]) => name)

const formatClasses = (contract: Contract): string[] => {
  const classes = namesOf(contract, 'ringside_class')
  const classOf = (call: number): string => `'${classes[contract.classOfCall[call] as number]}'`
  const entries = namesOf(contract, 'ringside_call').map((name, call) => [name, classOf(call)] as const)
  return formatObject('class_of_call of bpf/calls.h', 'classOfCall', entries)
}

/** @throws RingsideError DATA when the object lacks a type that bpf/event.ts needs */
export const formatEvent = (contract: Contract): string =>
  [
    '// Generated by scripts/generate-event.ts from bpf/event.h and bpf/calls.h: their types and numbers for TypeScript.',
    '',
    ...flatEnums.flatMap((name) => constantsOf(contract, name).map(formatConstant)),
    '',
    ...Object.entries(objectEnums).flatMap(([name, object]) => formatEnum(contract, name, object)),
    ...formatClasses(contract),
    ...structs.flatMap((name) => formatStruct(contract, name))
  ].join('\n')

if (import.meta.main) writeFileSync(eventPath, formatEvent(readContract()))
