// SIGINT and SIGTERM as an AbortSignal, for verbs whose orderly end is simply to stop reading.

/** Fires at the first signal; the next one ends the process as if nobody listened. */
export const interrupted = (): AbortSignal => {
  const controller = new AbortController()
  const onSignal = (): void => {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
    controller.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return controller.signal
}
