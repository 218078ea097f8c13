// The error class of the project: a stable code with its exit code (sysexits(3)), the cause, and canRetry. The message
// says what failed, with which value, and how to fix it.

export type ErrorCode =
  | 'USAGE' // the command line is wrong
  | 'CONFIG' // a configuration value is wrong
  | 'DATA' // unreadable input: a recording, a message, a rule file
  | 'NO_INPUT' // a missing file
  | 'UNAVAILABLE' // a service that does not answer: Kafka
  | 'IO' // a file or an output that cannot be written: the disk is full
  | 'FENCED' // another instance took over the work of this one
  | 'SOFTWARE' // a defect of Ringside
  | 'OS' // a missing system facility: BTF, bpf(2)
  | 'NO_PERMISSION' // missing privileges

const exitCodes: Record<ErrorCode, number> = {
  USAGE: 64,
  DATA: 65,
  NO_INPUT: 66,
  UNAVAILABLE: 69,
  SOFTWARE: 70,
  OS: 71,
  IO: 74,
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

/** Privileges and read-only file systems; other failures to write are of the disk. */
const isRefusal = (cause: unknown): boolean =>
  cause instanceof Error && 'code' in cause && ['EACCES', 'EPERM', 'EROFS'].includes(String(cause.code))

/** @param remedy what else the user can do, such as "choose another folder with --state-dir" */
export const cannotWrite = (what: string, cause: unknown, remedy: string): RingsideError =>
  new RingsideError(isRefusal(cause) ? 'NO_PERMISSION' : 'IO', `cannot write ${what}: ${messageOf(cause)}; ${remedy}`, {
    cause
  })

/** The message of any thrown value. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
