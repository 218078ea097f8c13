// An edge on the live kernel, as a process.
import assert from 'node:assert/strict'
import { eventually, type Running, startRingside } from './ringside.ts'

interface Context {
  after(end: () => void): void
}

/** Waits until an edge observes; fails with its output when it ends before. */
export const untilReady = async (edge: Running): Promise<Running> => {
  await eventually('a ready edge', 60, () => {
    assert.equal(edge.child.exitCode, null, edge.output.stderr)
    return /"msg":"ready"/.test(edge.output.stderr) || undefined
  })
  return edge
}

/** Starts an edge that ends with the test at the latest, and waits until it observes. */
export const startEdge = (
  context: Context,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = []
): Promise<Running> => {
  const edge = startRingside(['run', 'edge', ...args], env)
  context.after(() => edge.child.kill('SIGKILL'))
  return untilReady(edge)
}

export const kill = async (edge: Running): Promise<void> => {
  edge.child.kill('SIGKILL')
  await edge.finished
}

/** Ends it in order: what it observed is published, or on disk. */
export const stop = async (edge: Running): Promise<void> => {
  edge.child.kill('SIGTERM')
  const { code, stderr } = await edge.finished
  assert.equal(code, 0, stderr)
}
