// A CEL expression over a row's fields → whether the row is wanted.
import { Environment } from '@marcbachmann/cel-js'
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import { toCelRecord, variableOf, withVariables } from './cel-value.ts'

export type Row = Readonly<Record<string, unknown>>

export interface RowFilter {
  matches(row: Row): boolean
  /** Rows the expression could not be evaluated for, such as path.startsWith("/") where path is null: not wanted. */
  readonly unevaluated: number
  /** Why, for the first of them. */
  readonly firstProblem: string | undefined
}

const firstLine = (error: unknown): string => messageOf(error).split('\n')[0] ?? ''

/**
 * @param fields every name the expression may use
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
  if (checked.type !== 'bool' && checked.type !== 'dyn')
    throw usage(`it gives a value of type ${checked.type}, not true or false`)

  let unevaluated = 0
  let firstProblem: string | undefined
  const leaveOut = (why: string): false => {
    unevaluated += 1
    firstProblem ??= why
    return false
  }
  return {
    matches: (row) => {
      try {
        const value: unknown = evaluate(toCelRecord(row))
        return typeof value === 'boolean' ? value : leaveOut(`it gives ${String(value)}, not true or false`)
      } catch (error) {
        return leaveOut(firstLine(error))
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
