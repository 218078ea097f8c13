// What one look at the machine found, and the table of all of them.
import { messageOf } from '../../runtime/errors.ts'
import { formatTable } from '../table.ts'

export type Status = 'ok' | 'warn' | 'fail'

export interface Finding {
  readonly status: Status
  readonly detail: string
  /** What to do; undefined when nothing is. */
  readonly remedy?: string | undefined
}

export interface Check {
  readonly name: string
  look(): Finding | Promise<Finding>
}

export interface Result extends Finding {
  readonly name: string
}

export const ok = (detail: string): Finding => ({ status: 'ok', detail })
export const warn = (detail: string, remedy?: string): Finding => ({ status: 'warn', detail, remedy })
export const fail = (detail: string, remedy?: string): Finding => ({ status: 'fail', detail, remedy })

/** A check that throws has failed with that message. */
export const runCheck = async (check: Check): Promise<Result> => {
  try {
    return { name: check.name, ...(await check.look()) }
  } catch (error) {
    return { name: check.name, ...fail(messageOf(error)) }
  }
}

export const formatResults = (results: readonly Result[], width: number): string[] => {
  const rows = results.flatMap(({ name, status, detail, remedy }) => [
    [status, name, detail],
    ...(remedy === undefined ? [] : [['', '', `→ ${remedy}`]])
  ])
  return formatTable([{ title: '' }, { title: 'check' }, { title: 'found' }], rows, width)
}
