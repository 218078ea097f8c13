// What one look at the machine found, and the table of all of them.
import { messageOf } from '../../runtime/errors.ts'
import { formatTable } from '../terminal/table.ts'

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

/** Lines of whole words: advice must not be cut off at the edge of a terminal. */
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
  return formatTable([{ title: '' }, { title: 'check' }, { title: 'found' }], rows, Number.POSITIVE_INFINITY)
}
