// Loads the rules of a folder: all of them, or none and the problems of every file.
import { readdirSync, readFileSync } from 'node:fs'
import { basename, extname, join, relative } from 'node:path'
import { parse } from 'yaml'
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import { type Problem, parseRule, type Rule } from './rule.ts'

/** The folder of the rules that come with Ringside. */
export const shippedRulesDir = join(import.meta.dirname, '..', '..', 'rules')

export interface FileProblem extends Problem {
  /** Relative to the folder. */
  readonly file: string
}

export interface LintedRules {
  /** The valid rules, in the order of their files. */
  readonly rules: readonly Rule[]
  readonly problems: readonly FileProblem[]
}

const listRuleFiles = (dir: string): string[] => {
  try {
    const entries = readdirSync(dir, { recursive: true, withFileTypes: true })
    const files = entries.filter((entry) => entry.isFile() && ['.yaml', '.yml'].includes(extname(entry.name)))
    return files.map((file) => relative(dir, join(file.parentPath, file.name))).sort()
  } catch (cause) {
    throw new RingsideError('NO_INPUT', `cannot read the rules in ${dir} (alerts.rulesDir): ${messageOf(cause)}`, {
      cause
    })
  }
}

const lintFile = (dir: string, file: string): ReturnType<typeof parseRule> => {
  let value: unknown
  try {
    value = parse(readFileSync(join(dir, file), 'utf8'))
  } catch (error) {
    return { problems: [{ path: 'rule', message: `is not valid YAML: ${messageOf(error)}` }] }
  }
  const result = parseRule(value)
  if ('problems' in result) return result
  const name = basename(file, extname(file))
  if (result.rule.id === name) return result
  return { problems: [{ path: 'id', message: `is "${result.rule.id}", must be the name of the file, "${name}"` }] }
}

/**
 * Reads every .yaml and .yml file in a folder, at any depth.
 * @throws RingsideError NO_INPUT when the folder cannot be read
 */
export const lintRules = (dir: string): LintedRules => {
  const rules: Rule[] = []
  const problems: FileProblem[] = []
  const fileOf = new Map<string, string>()
  const files = listRuleFiles(dir)
  if (files.length === 0) problems.push({ file: '.', path: 'rules', message: 'the folder has no .yaml file' })
  for (const file of files) {
    const result = lintFile(dir, file)
    if ('problems' in result) {
      problems.push(...result.problems.map((problem) => ({ file, ...problem })))
      continue
    }
    const first = fileOf.get(result.rule.id)
    if (first !== undefined)
      problems.push({ file, path: 'id', message: `"${result.rule.id}" is also the id of ${first}` })
    fileOf.set(result.rule.id, file)
    rules.push(result.rule)
  }
  return { rules, problems }
}

/**
 * @throws RingsideError DATA with every problem of every file, one a line; NO_INPUT when the folder cannot be read
 */
export const loadRules = (dir: string = shippedRulesDir): readonly Rule[] => {
  const { rules, problems } = lintRules(dir)
  if (problems.length === 0) return rules
  const lines = problems.map(({ file, path, message }) => `  ${file}: ${path}: ${message}`)
  throw new RingsideError(
    'DATA',
    `the rules in ${dir} (alerts.rulesDir) have ${problems.length} problem(s):\n${lines.join('\n')}`
  )
}
