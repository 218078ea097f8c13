// The Go compiler, and programs that tests build with it.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { isInstalled } from './programs.ts'

const buildDir = join(import.meta.dirname, '..', '..', 'build', 'test')

/** go.dev's archive is unpacked to /usr/local/go, which is in no PATH by itself. */
const go = ['/usr/local/go/bin/go', 'go'].find((command) => existsSync(command) || isInstalled(command))

/** Why no Go program can be built, or false: for the `skip` of a test. */
export const goMissing: string | false = go === undefined && 'needs go: apt-get install golang-go'

/** With a cache of its own: HOME may be unset, or not writable. */
const env = {
  HOME: homedir(),
  ...process.env,
  GOCACHE: join(buildDir, 'go-cache'),
  GOFLAGS: '-buildvcs=false',
  GO111MODULE: 'off',
  CGO_ENABLED: '0'
}

/** Runs a tool of Go's, and returns its output. */
export const goTool = (args: readonly string[], input = ''): string =>
  execFileSync(go ?? 'go', ['tool', ...args], { input, env, encoding: 'utf8', maxBuffer: 1 << 26 })

const build = (cwd: string, output: string, ...args: string[]): void => {
  execFileSync(go ?? 'go', ['build', '-o', output, ...args], { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] })
}

/** Builds a program of one file. */
export const buildGoFile = (source: string, output: string): void => build('.', output, source)

/**
 * Builds the program of a folder, below build/test.
 * @param comm name of the executable, and so of its processes
 * @param variant distinguishes builds with different flags
 * @returns path of the executable
 */
export const buildGo = (folder: string, comm: string, variant: string, ...flags: string[]): string => {
  const path = join(buildDir, `go-${variant}`, comm)
  mkdirSync(join(path, '..'), { recursive: true })
  // Another test file may read the same program now.
  const fresh = `${path}.${process.pid}`
  build(folder, fresh, ...flags, '.')
  renameSync(fresh, path)
  return path
}
