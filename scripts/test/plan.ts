// Which test files run side by side.
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { type Need, needsOf } from './needs.ts'

export interface Plan {
  /** One after the other: programs of two files in the kernel at once would slow down every call twice. */
  readonly kernel: readonly string[]
  /** In any order, side by side, also with those of the kernel. */
  readonly shared: readonly string[]
  /** One after the other, with nothing beside them, at the end. */
  readonly quiet: readonly string[]
  readonly needs: ReadonlyMap<string, ReadonlySet<Need>>
}

/** @param isQuick leaves out every file that needs a shared resource */
export const planOf = (root: string, files: readonly string[], isQuick: boolean): Plan => {
  const needs = new Map(files.map((file) => [file, needsOf(root, file)]))
  const chosen = files.filter((file) => !isQuick || needs.get(file)?.size === 0)
  const has = (file: string, need: Need): boolean => needs.get(file)?.has(need) === true
  const quiet = chosen.filter((file) => has(file, 'quiet machine'))
  const kernel = chosen.filter((file) => !quiet.includes(file) && has(file, 'kernel'))
  const rest = chosen.filter((file) => !quiet.includes(file) && !kernel.includes(file))
  const bytes = (file: string): number => statSync(join(root, file)).size
  // The long ones first, so that none is left over when all others are done.
  const usesNothing = (file: string): number => (needs.get(file)?.size === 0 ? 1 : 0)
  const shared = rest.toSorted((a, b) => usesNothing(a) - usesNothing(b) || bytes(b) - bytes(a))
  return { kernel, shared, quiet, needs }
}
