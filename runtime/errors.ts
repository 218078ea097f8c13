// The one error class of the project: a stable code, the cause, whether a retry helps, and the
// exit code (sysexits(3)) that main turns it into. The message says what failed, with which
// value, and what to do about it.

export type ErrorCode =
  | 'USAGE' // the command line is wrong
  | 'CONFIG' // a configuration value is wrong
  | 'DATA' // input that cannot be read: a recording, a message, a rule file
  | 'NO_INPUT' // a file that does not exist
  | 'UNAVAILABLE' // a service that is away: Kafka
  | 'FENCED' // another instance took over what this one was doing
  | 'SOFTWARE' // a defect of our own
  | 'OS' // a system facility that is missing: BTF, bpf(2)
  | 'NO_PERMISSION' // privileges that are missing

const exitCodes: Record<ErrorCode, number> = {
  USAGE: 64,
  DATA: 65,
  NO_INPUT: 66,
  UNAVAILABLE: 69,
  SOFTWARE: 70,
  OS: 71,
  FENCED: 75,
  NO_PERMISSION: 77,
  CONFIG: 78
}

export class RingsideError extends Error {
  readonly code: ErrorCode
  readonly canRetry: boolean

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; canRetry?: boolean } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'RingsideError'
    this.code = code
    this.canRetry = options.canRetry ?? code === 'UNAVAILABLE'
  }

  get exitCode(): number {
    return exitCodes[this.code]
  }
}

export const exitCodeOf = (error: unknown): number =>
  error instanceof RingsideError ? error.exitCode : exitCodes.SOFTWARE

/** The message of anything thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
