// A rule: its file, validated and compiled. All problems of a file are found at once.
import { type ParseResult, serialize } from '@marcbachmann/cel-js'
import { messageOf } from '../../runtime/errors.ts'
import { networksOf } from './networks.ts'
import { isEventName } from './rule-events.ts'
import { type RuleFile, ruleFile } from './rule-file.ts'
import { conditionEnvironment, type Field, fields, type Subject } from './subject.ts'

/** Figures of the alert that an explanation can name, in addition to fields of the event that raised it. */
const figures = ['count', 'seconds', 'threshold', 'window'] as const

export interface Problem {
  /** Path in the file: `threshold.count`, `tests.0.events`. */
  readonly path: string
  readonly message: string
}

export interface Rule extends RuleFile {
  /** True when an entry of the allow list exempts the event. */
  isAllowed(subject: Subject): boolean
  /** False also when the condition cannot be evaluated for the event, as after a division by zero. */
  holds(subject: Subject): boolean
  /** The parts of the condition that && joins, with the fields of each. */
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

/** Problems that the schema cannot express. */
const problemsOf = (rule: RuleFile): Problem[] => {
  const problems: Problem[] = []
  const add = (path: string, message: string): number => problems.push({ path, message })
  if (rule.cooldownSeconds < rule.threshold.windowSeconds) {
    const { windowSeconds } = rule.threshold
    add('cooldownSeconds', `${rule.cooldownSeconds} is less than threshold.windowSeconds, ${windowSeconds}`)
  }
  for (const [, name = ''] of rule.explanation.matchAll(placeholder)) {
    if ([...fields, ...figures].some((known) => known === name)) continue
    add('explanation', `{${name}} is neither a field nor one of ${figures.join(', ')}`)
  }
  if (!rule.tests.some(({ raises }) => raises > 0)) add('tests', 'must have a case that raises an alert')
  if (!rule.tests.some(({ raises }) => raises === 0)) add('tests', 'must have a case that raises no alert')
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
    return type === 'bool' ? compiled : problem(`has type ${type}, must be bool`)
  } catch (error) {
    return problem(firstLine(error))
  }
}

/** @param value a rule file, parsed as YAML */
export const parseRule = (value: unknown): { readonly rule: Rule } | { readonly problems: readonly Problem[] } => {
  const result = ruleFile.safeParse(value)
  if (!result.success) {
    const problems = result.error.issues.map(({ path, message }) => ({ path: path.join('.') || 'rule', message }))
    return { problems }
  }
  const file = result.data
  const compiled = compileCondition(file.condition)
  const problems = problemsOf(file)
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
