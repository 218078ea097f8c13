// Python packages that read the project's formats independently.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Context {
  skip(reason: string): void
  after(end: () => void): void
}

/**
 * Installs a package for one test.
 * @returns the environment in which python3 finds it; undefined after the test was skipped, as pip cannot install it
 */
export const pythonWith = (context: Context, name: string): NodeJS.ProcessEnv | undefined => {
  const target = mkdtempSync(join(tmpdir(), 'ringside-python-'))
  context.after(() => rmSync(target, { recursive: true, force: true }))
  try {
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', target, name]
    execFileSync('python3', pip, { stdio: 'pipe', timeout: 120_000 })
    return { ...process.env, PYTHONPATH: target }
  } catch (error) {
    context.skip(`pip cannot install ${name}: ${(error as Error).message.split('\n').at(-2)}`)
    return undefined
  }
}
