// Ends processes that a test started when the test's own process ends early: the runner ends a file that hangs with
// SIGTERM, and neither `after` nor a signal reaches an edge or a Kafka in a session of its own.
const ends = new Set<() => void>()

const endAll = (): void => {
  for (const end of ends) end()
}

/**
 * @param end must be synchronous
 * @returns cancels it
 */
export const endWithProcess = (end: () => void): (() => void) => {
  if (process.listenerCount('exit', endAll) === 0) process.once('exit', endAll)
  if (process.listenerCount('SIGTERM') === 0) process.once('SIGTERM', () => process.exit(143))
  ends.add(end)
  return () => ends.delete(end)
}
