// A CEL condition over a row's fields → a filter of rows.
import { Environment } from '@marcbachmann/cel-js'
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import { toCelRecord, variableOf, withVariables } from './cel-value.ts'

export type Row = Readonly<Record<string, unknown>>

export interface RowFilter {
  matches(row: Row): boolean
  /** Rows that it could not be evaluated for, such as path.startsWith("/") with a null path: they do not match. */
  readonly unevaluated: number
  /** The reason for the first of them. */
  readonly firstProblem: string | undefined
}

const firstLine = (error: unknown): string => messageOf(error).split('\n')[0] ?? ''

/**
 * @param fields every name that the expression may use
 * @throws RingsideError USAGE when the expression is not CEL, names another field, or is not a condition
 */
export const compileRowFilter = (expression: string, fields: readonly string[]): RowFilter => {
  const environment = new Environment({ unlistedVariablesAreDyn: false })
  for (const field of fields) environment.registerVariable(variableOf(field), 'dyn')
  const usage = (why: string, cause?: unknown): RingsideError =>
    new RingsideError('USAGE', `--where '${expression}': ${why}. Fields: ${fields.join(', ')}`, { cause })

  let evaluate: ReturnType<Environment['parse']>
  try {
    evaluate = environment.parse(withVariables(expression))
  } catch (cause) {
    throw usage(firstLine(cause), cause)
  }
  const checked = evaluate.check()
  if (!checked.valid) throw usage(firstLine(checked.error), checked.error)
  if (checked.type !== 'bool' && checked.type !== 'dyn') throw usage(`its result has type ${checked.type}, not bool`)

  let unevaluated = 0
  let firstProblem: string | undefined
  const skip = (why: string): false => {
    unevaluated += 1
    firstProblem ??= why
    return false
  }
  return {
    matches: (row) => {
      try {
        const value: unknown = evaluate(toCelRecord(row))
        return typeof value === 'boolean' ? value : skip(`its result is ${String(value)}, not true or false`)
      } catch (error) {
        return skip(firstLine(error))
      }
    },
    get unevaluated() {
      return unevaluated
    },
    get firstProblem() {
      return firstProblem
    }
  }
}
