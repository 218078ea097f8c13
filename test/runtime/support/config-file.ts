// A configuration file for one test.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryDirectory } from '../../support/ringside.ts'

/** @returns its path */
export const configFile = (t: TestContext, text: string): string => {
  const path = join(temporaryDirectory(t, 'config'), 'ringside.yaml')
  writeFileSync(path, text)
  return path
}
