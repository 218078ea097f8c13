// The shared resources that a test file needs, read from its imports: the file in test/support that gives access to a
// resource declares the need.
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

export type Need = 'kernel' | 'kafka' | 'browser' | 'quiet machine'

const declaredBy: Readonly<Record<string, Need>> = {
  'test/support/kernel.ts': 'kernel',
  'test/support/kafka.ts': 'kafka',
  'test/support/browser.ts': 'browser',
  'test/support/quiet-machine.ts': 'quiet machine'
}

/** Relative modules of static and dynamic imports. */
const importPattern = /\b(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g

/** @param root folder of the project @param file path from there */
export const needsOf = (root: string, file: string): ReadonlySet<Need> => {
  const needs = new Set<Need>()
  const seen = new Set<string>()
  const visit = (path: string): void => {
    if (seen.has(path)) return
    seen.add(path)
    const need = declaredBy[path]
    if (need !== undefined) needs.add(need)
    for (const [, module = ''] of readFileSync(join(root, path), 'utf8').matchAll(importPattern)) {
      const imported = relative(root, join(root, dirname(path), module))
      // What the project itself imports is no need of its test.
      if (imported.startsWith('test/') && existsSync(join(root, imported))) visit(imported)
    }
  }
  visit(file)
  return needs
}
