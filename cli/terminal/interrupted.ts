// SIGINT and SIGTERM as an AbortSignal, for verbs that only read.

/** Fires at the first signal; the second one ends the process, as by default. */
export const interrupted = (): AbortSignal => {
  const controller = new AbortController()
  const onSignal = (): void => {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
    controller.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return controller.signal
}
