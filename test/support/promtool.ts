// promtool, which checks metrics, rules and queries as Prometheus does.
import { spawnSync } from 'node:child_process'

/** Why promtool cannot run, or false: for the `skip` of a test. */
export const promtoolMissing = (): string | false =>
  spawnSync('promtool', ['--version']).error === undefined ? false : 'promtool is missing (Debian: prometheus)'

/** @returns its output and exit code */
export const promtool = (
  args: readonly string[],
  input = ''
): { readonly code: number | null; readonly text: string } => {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8', timeout: 120_000 })
  return { code: status, text: `${stdout}${stderr}` }
}
