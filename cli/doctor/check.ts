// One check of the machine, its result, and the table of all results.
import { messageOf } from '../../runtime/errors.ts'
import { formatTable } from '../terminal/table.ts'

export type Status = 'ok' | 'warn' | 'fail'

export interface Finding {
  readonly status: Status
  readonly detail: string
  /** The fix; undefined when none is needed. */
  readonly remedy?: string | undefined
}

export interface Check {
  readonly name: string
  run(): Finding | Promise<Finding>
}

export interface Result extends Finding {
  readonly name: string
}

export const ok = (detail: string): Finding => ({ status: 'ok', detail })
export const warn = (detail: string, remedy?: string): Finding => ({ status: 'warn', detail, remedy })
export const fail = (detail: string, remedy?: string): Finding => ({ status: 'fail', detail, remedy })

/** A check that throws fails with the error's message. */
export const runCheck = async (check: Check): Promise<Result> => {
  try {
    return { name: check.name, ...(await check.run()) }
  } catch (error) {
    return { name: check.name, ...fail(messageOf(error)) }
  }
}

/** Wraps at spaces, so that no advice is cut off at the end of a line. */
const wrap = (text: string, width: number): string[] => {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? ''
    if (last !== '' && last.length + 1 + word.length > width) lines.push(word)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return lines
}

const gaps = 4

export const formatResults = (results: readonly Result[], width: number): string[] => {
  const nameWidth = Math.max(...results.map(({ name }) => name.length))
  const textWidth = width - 'fail'.length - nameWidth - gaps
  const rows = results.flatMap(({ name, status, detail, remedy }) => {
    const [first = '', ...more] = wrap(detail, textWidth)
    const advice = remedy === undefined ? [] : wrap(remedy, textWidth - 2)
    const below = [...more, ...advice.map((line, i) => `${i === 0 ? '→' : ' '} ${line}`)]
    return [[status, name, first], ...below.map((line) => ['', '', line])]
  })
  return formatTable([{ title: '' }, { title: 'check' }, { title: 'result' }], rows, Number.POSITIVE_INFINITY)
}
