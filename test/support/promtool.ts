// Prometheus' own tool as the judge of metrics, rules and queries.
import { spawnSync } from 'node:child_process'

/** Why promtool cannot be asked, or false: for the `skip` of a test. */
export const promtoolMissing = (): string | false =>
  spawnSync('promtool', ['--version']).error === undefined ? false : 'promtool is missing (Debian: prometheus)'

/** What it said, with its exit code. */
export const promtool = (
  args: readonly string[],
  input = ''
): { readonly code: number | null; readonly text: string } => {
  const { status, stdout, stderr } = spawnSync('promtool', args, { input, encoding: 'utf8', timeout: 120_000 })
  return { code: status, text: `${stdout}${stderr}` }
}
