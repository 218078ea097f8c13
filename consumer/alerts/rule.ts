// A rule as its file has it → a rule that can be applied. All problems of a file are found at once.
import { type ParseResult, serialize } from '@marcbachmann/cel-js'
import { z } from 'zod'
import { messageOf } from '../../runtime/errors.ts'
import { kindClasses, syscallClasses } from '../../wire/event-class.ts'
import type { EventClass } from '../../wire/types.ts'
import { isNetwork, networksOf } from './networks.ts'
import { conditionEnvironment, type Field, fields, type Subject } from './subject.ts'

type SyscallName = Exclude<keyof typeof syscallClasses, 'other'>
export type EventName = SyscallName | keyof typeof kindClasses

const { other: _, ...namedSyscalls } = syscallClasses
const classes: Readonly<Record<EventName, EventClass>> = { ...namedSyscalls, ...kindClasses }

/** Events that a rule can name: calls, and the kinds of events that are not calls. */
export const eventNames = Object.keys(classes) as [EventName, ...EventName[]]

const isEventName = (name: string): name is EventName => (eventNames as readonly string[]).includes(name)

/** The class in which the edge declares the loss of such events. */
export const classOf = (name: EventName): EventClass => classes[name]

/** What {…} in an explanation may name, beside the fields of the event that raised the alert. */
const figures = ['count', 'seconds', 'threshold', 'window'] as const

const fieldName = z.enum(fields as [Field, ...Field[]])
const port = z.int().min(0).max(65_535)
const endpoint = z
  .string()
  .regex(/^(\d{1,3}\.){3}(\d{1,3}|\*):\d{1,5}$/, 'must be an IPv4 address and a port: 10.0.0.1:80')

const testEvent = z.strictObject({
  /** A call's name, or exec, fork, exit, socket_state. */
  event: z.string(),
  /** Seconds after the one before it. */
  after: z.number().min(0).default(0),
  times: z.int().min(1).default(1),
  /** Seconds between the times. */
  every: z.number().min(0).default(0),
  ret: z.int().default(0),
  local: endpoint.optional(),
  /** An asterisk in place of the last number is 1, 2, 3 … 250, 1 … */
  remote: endpoint.optional(),
  protocol: z.enum(['tcp', 'udp']).default('tcp'),
  pid: z.int().min(1).default(1000),
  ppid: z.int().min(0).default(1),
  comm: z.string().default('program'),
  exe: z.string().default('/usr/bin/program'),
  container: z.string().optional(),
  path: z.string().optional(),
  /** Seconds since the observation of the host began; negative for a process that was there before. */
  began: z.number().default(1)
})

const testCase = z.strictObject({
  name: z.string().min(1),
  /** How many alerts the events raise. */
  raises: z.int().min(0),
  events: z.array(testEvent).min(1)
})

const allowEntry = z
  .strictObject({
    networks: z.array(z.string().refine(isNetwork, 'must be an address or a network such as 10.0.0.0/8')).optional(),
    exes: z.array(z.string().min(1)).optional(),
    localPorts: z.array(port).optional(),
    remotePorts: z.array(port).optional(),
    reason: z.string().min(1)
  })
  .refine(({ reason: _, ...lists }) => Object.values(lists).some((list) => list !== undefined && list.length > 0), {
    error: 'must name networks, exes, localPorts or remotePorts'
  })

const schema = z.strictObject({
  id: z.string().regex(/^[a-z][a-z0-9_]*$/, 'may hold small letters, digits and "_"'),
  version: z.int().min(1),
  title: z.string().min(1),
  attack: z
    .string()
    .regex(/^T\d{4}(\.\d{3})?$/, 'must be an ATT&CK technique such as T1046 or T1059.004')
    .optional(),
  severity: z.enum(['notice', 'warning', 'critical']),
  description: z.string().min(1),
  falsePositives: z.array(z.string().min(1)),
  /** Nothing else is looked at: what a rule does not name costs nothing. */
  events: z.array(z.enum(eventNames)).min(1),
  allow: z.array(allowEntry).default([]),
  condition: z.string().min(1),
  entity: z.array(fieldName).min(1).default(['workload', 'exe']),
  threshold: z.strictObject({
    count: z.int().min(1).max(100_000),
    /** The state of the service goes back so far: a restart reads these seconds again. */
    windowSeconds: z.int().min(1).max(600),
    /** Count values of this field instead of events. */
    distinct: fieldName.optional()
  }),
  /** Quiet for so long ends a burst: what comes then is a new alert. */
  cooldownSeconds: z.int().min(1),
  explanation: z.string().min(1),
  tests: z.array(testCase)
})

export type RuleFile = z.infer<typeof schema>
export type RuleTest = z.infer<typeof testCase>
export type RuleTestEvent = z.infer<typeof testEvent>

export interface Problem {
  /** Where in the file: `threshold.count`, `tests.0.events`. */
  readonly path: string
  readonly message: string
}

export interface Rule extends RuleFile {
  /** Whether the allow list takes the event out. */
  isAllowed(subject: Subject): boolean
  /** Compiled; one that cannot be evaluated for an event (a division by zero, say) does not hold for it. */
  holds(subject: Subject): boolean
  /** The condition's parts that are joined by &&, with the fields that each is about. */
  readonly terms: readonly { readonly text: string; readonly fields: readonly Field[] }[]
  /** Fields that the explanation names. */
  readonly explanationFields: readonly Field[]
  /** The explanation with each {name} replaced. */
  explain(textOf: (name: string) => string): string
}

type Node = ParseResult['ast']

const termsOf = (node: Node): Rule['terms'] => {
  if (node.op === '&&') return (node.args as [Node, Node]).flatMap(termsOf)
  return [{ text: serialize(node), fields: [...new Set(fieldsOf(node))] }]
}

const fieldsOf = (node: Node): Field[] => {
  if (node.op === 'id') return fields.filter((field) => field === node.args)
  const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && 'op' in value
  const children = (value: unknown): Node[] =>
    Array.isArray(value) ? value.flatMap(children) : isNode(value) ? [value] : []
  return children(node.args).flatMap(fieldsOf)
}

const isAllowedBy = (entry: RuleFile['allow'][number]): ((subject: Subject) => boolean) => {
  const networks = entry.networks && networksOf(entry.networks)
  const { exes, localPorts, remotePorts } = entry
  return (subject) =>
    (networks?.has(subject.remote_address) ?? true) &&
    (exes?.includes(subject.exe) ?? true) &&
    (localPorts?.includes(Number(subject.local_port)) ?? true) &&
    (remotePorts?.includes(Number(subject.remote_port)) ?? true)
}

const placeholder = /\{(\w+)\}/g

const problemsBeyondSchema = (rule: RuleFile): Problem[] => {
  const problems: Problem[] = []
  const add = (path: string, message: string): number => problems.push({ path, message })
  if (rule.cooldownSeconds < rule.threshold.windowSeconds) {
    add('cooldownSeconds', `${rule.cooldownSeconds} is shorter than the window of ${rule.threshold.windowSeconds}`)
  }
  for (const [, name = ''] of rule.explanation.matchAll(placeholder)) {
    if ([...fields, ...figures].some((known) => known === name)) continue
    add('explanation', `{${name}} is neither a field nor one of ${figures.join(', ')}`)
  }
  if (!rule.tests.some(({ raises }) => raises > 0)) add('tests', 'no case raises an alert')
  if (!rule.tests.some(({ raises }) => raises === 0)) add('tests', 'no case must stay without an alert')
  for (const [i, { events }] of rule.tests.entries()) {
    for (const [j, { event }] of events.entries()) {
      if (!isEventName(event)) add(`tests.${i}.events.${j}.event`, `there is no event "${event}"`)
    }
  }
  return problems
}

const firstLine = (error: unknown): string => messageOf(error).split('\n')[0] ?? ''

const compileCondition = (condition: string): ParseResult | Problem => {
  const problem = (message: string): Problem => ({ path: 'condition', message: `${message}: ${condition}` })
  try {
    const compiled = conditionEnvironment().parse(condition)
    const { valid, type, error } = compiled.check()
    if (!valid) return problem(firstLine(error))
    return type === 'bool' ? compiled : problem(`is a ${type}, not a condition`)
  } catch (error) {
    return problem(firstLine(error))
  }
}

/** @param value what YAML made of a rule file */
export const parseRule = (value: unknown): { readonly rule: Rule } | { readonly problems: readonly Problem[] } => {
  const result = schema.safeParse(value)
  if (!result.success) {
    const problems = result.error.issues.map(({ path, message }) => ({ path: path.join('.') || 'rule', message }))
    return { problems }
  }
  const file = result.data
  const compiled = compileCondition(file.condition)
  const problems = problemsBeyondSchema(file)
  if (typeof compiled !== 'function') return { problems: [compiled, ...problems] }
  if (problems.length > 0) return { problems }
  const allowed = file.allow.map(isAllowedBy)
  const rule: Rule = {
    ...file,
    isAllowed: (subject) => allowed.some((isAllowed) => isAllowed(subject)),
    holds: (subject) => {
      try {
        return compiled(subject as unknown as Record<string, unknown>) === true
      } catch {
        return false
      }
    },
    terms: termsOf(compiled.ast),
    explanationFields: fields.filter((field) => file.explanation.includes(`{${field}}`)),
    explain: (textOf) => file.explanation.replace(placeholder, (_, name: string) => textOf(name))
  }
  return { rule }
}
