// What the panel's page and its service say to each other over the WebSocket, as JSON. The page says what it looks at;
// the service sends all of that it has, then what is new, and leaves out what a slow page has not taken in time.
import type { Alert, AuditRecord, RollupKey } from '../../wire/types.ts'

/**
 * Where the page asks, beside its own files. Where the service has a token, HTTP wants it as a bearer, and the WebSocket,
 * whose headers a browser does not let be set, as its second subprotocol; without the right one both answer 401.
 */
export const paths = { session: '/api/session', audit: '/api/audit', live: '/api/live' } as const

/** The subprotocol that is agreed on; what is offered besides is `tokenProtocol(token)`. */
export const liveProtocol = 'ringside.1'

/** Of characters that a subprotocol may have: the token's bytes in hexadecimal. */
export const tokenProtocol = (token: string): string =>
  `token.${Array.from(new TextEncoder().encode(token), (byte) => byte.toString(16).padStart(2, '0')).join('')}`

/** Answer of GET paths.session, which is never refused. */
export interface Session {
  readonly version: string
  /** A token is wanted, and this request had not the right one. */
  readonly refused: boolean
}

/** Query of GET paths.audit. What is left out, or empty, selects all. */
export interface AuditQuery {
  /** Milliseconds since the epoch. */
  readonly fromMs: number
  readonly toMs: number
  readonly host?: string
  readonly call?: string
  /** A part of the command's or executable's name. */
  readonly program?: string
  readonly pid?: number
  /** A part of the path or of the remote address and port, as the table shows it. */
  readonly about?: string
  readonly failed?: boolean
}

export interface AuditAnswer {
  /** In order of time. */
  readonly rows: readonly AuditRecord[]
  /** Rows that were looked at. */
  readonly read: number
  /** Why it ended before it had looked at everything that was asked for; null: it has. */
  readonly stopped: string | null
}

/** What is looked at; a name that is left out: all of them, merged. */
export interface Filter {
  readonly host?: string
  readonly workload?: string
  readonly call?: string
}

export type TopBy = RollupKey | 'call'

/** Replaces what was looked at before; sent anew, with the newest point that the page has, after each reconnect. */
export interface Watch {
  readonly type: 'watch'
  readonly filter: Filter
  /** Length of the windows: one of those of hello. */
  readonly windowMs: number
  /** Points from this time on, milliseconds since the epoch. */
  readonly fromMs: number
  readonly top: TopBy
}

export type ClientMessage = Watch

/** One window of everything that the filter takes, merged. */
export interface Point {
  /** Start of the window, milliseconds since the epoch. */
  readonly timeMs: number
  readonly count: number
  readonly errors: number
  /** Nanoseconds. */
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
  /** Calls by power of two of nanoseconds: [floor(log2 duration), calls], those that are not 0. */
  readonly heat: readonly (readonly [octave: number, count: number])[]
  /** Events that the filter's hosts lost in it. */
  readonly lost: number
  /** False while the window is open: the point comes again. */
  readonly complete: boolean
}

/** Of the last seconds of each host; of those that the filter takes, the hundred with the most calls. */
export interface TopRow {
  /** '*' where the row is of several, as workload is. */
  readonly host: string
  readonly workload: string
  /** Null where the row is not of one; call is that of the filter where the row is of another kind. */
  readonly pid: number | null
  readonly comm: string | null
  readonly call: string | null
  readonly goFunction: string | null
  readonly callsPerSecond: number
  readonly errorsPerSecond: number
  readonly p50: number
  readonly p99: number
  /** Of the time that all calls of the filter took, 0 to 1. */
  readonly timeShare: number
}

export interface HostState {
  readonly host: string
  readonly agent: string
  /** Until when everything is there, milliseconds since the epoch. */
  readonly watermarkMs: number
  /** How far behind its host the newest rollup was, seconds. */
  readonly lagSeconds: number
  readonly eventsPerSecond: number
  readonly countedPerSecond: number
  /** Events lost since the panel's history begins, by reason. */
  readonly lost: Readonly<Record<string, number>>
  /** Classes that are counted instead of told, with the reason of the step. */
  readonly reduced: Readonly<Record<string, string>>
  /** Its run ended in order. */
  readonly ended: boolean
}

export interface ServiceLag {
  readonly service: string
  /** Messages that wait; null when the group has never committed. */
  readonly messages: number | null
}

export type ServerMessage =
  | {
      readonly type: 'hello'
      readonly version: string
      readonly windowsMs: readonly number[]
      readonly keptMs: readonly number[]
    }
  /** In order of time; each replaces the page's own of its time. whole: all that there is from the watch's fromMs on. */
  | { readonly type: 'points'; readonly whole: boolean; readonly points: readonly Point[] }
  | { readonly type: 'top'; readonly by: TopBy; readonly spanMs: number; readonly rows: readonly TopRow[] }
  /** What a filter can name, the busiest first. */
  | {
      readonly type: 'names'
      readonly hosts: readonly string[]
      readonly workloads: readonly string[]
      readonly calls: readonly string[]
    }
  | { readonly type: 'hosts'; readonly hosts: readonly HostState[] }
  | { readonly type: 'lag'; readonly services: readonly ServiceLag[] }
  /** New ones and new revisions; after hello the last hundred. */
  | { readonly type: 'alerts'; readonly alerts: readonly Alert[] }
  /** Why what is shown is not up to date, and what to do; null: it is again. */
  | { readonly type: 'trouble'; readonly message: string | null }
