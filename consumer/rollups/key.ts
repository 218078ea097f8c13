// The key of a row or cell: a call of one process, of a workload, or of one of its Go functions.

export interface Key {
  readonly workload: string
  /** 0 for all processes of the workload. */
  readonly pid: number
  readonly startUs: number
  /** Null for calls of any function. */
  readonly goFunction: string | null
  /** Code of the call in callNames. */
  readonly code: number
}

/** Name of the workload, comm and call that stand for all keys beyond a bound. */
export const otherName = 'other'

/** The key of all keys of a call that are beyond a bound. */
export const otherKey = (code: number): Key => ({ workload: otherName, pid: 0, startUs: 0, goFunction: null, code })

const hashOfText = (text: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash
}

/** Leaves out the workload of a process's key: a process has few in its life. */
export const hashOf = ({ workload, pid, startUs, goFunction, code }: Key): number => {
  let hash = Math.imul(pid, 0x9e3779b1) ^ Math.imul(startUs | 0, 0x85ebca6b) ^ Math.imul(code + 1, 0xc2b2ae35)
  if (pid === 0) hash ^= hashOfText(workload)
  if (goFunction !== null) hash ^= Math.imul(hashOfText(goFunction), 0x27d4eb2f)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return hash ^ (hash >>> 13)
}

export const isSameKey = (a: Key, b: Key): boolean =>
  a.pid === b.pid &&
  a.startUs === b.startUs &&
  a.code === b.code &&
  a.goFunction === b.goFunction &&
  a.workload === b.workload
