// Go programs that tests build, below build/test.
import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'

const buildDir = join(import.meta.dirname, '..', '..', 'build', 'test')

/** Why tests that build Go programs cannot run here; false when they can. */
export const skipWithoutGo: string | false =
  spawnSync('go', ['version'], { stdio: 'ignore' }).status !== 0 && 'needs go: programs are built with it'

/**
 * Builds the program of a folder without C.
 * @param variant tells one build of it from others
 * @param comm name of the executable, and so of its processes
 * @returns path of the executable
 */
export const buildGo = (folder: string, comm: string, variant: string, ...flags: string[]): string => {
  const path = join(buildDir, `go-${variant}`, comm)
  const env = { ...process.env, GOFLAGS: '-buildvcs=false', GO111MODULE: 'off', CGO_ENABLED: '0' }
  execFileSync('go', ['build', ...flags, '-o', path, '.'], { cwd: folder, env })
  return path
}
