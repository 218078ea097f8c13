// The contract between the panel's page and its service. Over the WebSocket, JSON: the page sends a watch, the service
// answers with all matching data, then with changes. Slow pages skip intermediate states.
import type { Alert, AuditRecord, RollupKey } from '../../wire/types.ts'

/**
 * Paths besides those of the page's files. If the service has a token, HTTP requests carry it as a bearer token. A
 * browser cannot set headers of a WebSocket, so there it is the second subprotocol. Otherwise the service answers 401.
 */
export const paths = { session: '/api/session', audit: '/api/audit', live: '/api/live' } as const

/** The subprotocol that the service accepts; with a token the page also offers `tokenProtocol(token)`. */
export const liveProtocol = 'ringside.1'

/** The token's bytes in hexadecimal: a subprotocol allows few characters. */
export const tokenProtocol = (token: string): string =>
  `token.${Array.from(new TextEncoder().encode(token), (byte) => byte.toString(16).padStart(2, '0')).join('')}`

/** Response of GET paths.session, which needs no token. */
export interface Session {
  readonly version: string
  /** The service has a token, and this request had none or a wrong one. */
  readonly refused: boolean
}

/** Query of GET paths.audit. A missing or empty field matches every row. */
export interface AuditQuery {
  /** Milliseconds since the epoch. */
  readonly fromMs: number
  readonly toMs: number
  readonly host?: string
  readonly call?: string
  /** Part of the thread name or the executable's path. */
  readonly program?: string
  readonly pid?: number
  /** Part of a path, or of the remote address and port as endpointText() writes them. */
  readonly target?: string
  readonly failed?: boolean
}

export interface AuditAnswer {
  /** Ordered by time. */
  readonly rows: readonly AuditRecord[]
  /** Number of rows compared with the query. */
  readonly scanned: number
  /** Why the search ended early; null when it is complete. */
  readonly stopped: string | null
}

/** An address and port as the page shows them and the audit search compares them. */
export const endpointText = (address: string, port: number | null): string => {
  if (port === null) return address
  return `${address.includes(':') ? `[${address}]` : address}:${port}`
}

/** The selection of rollups; a missing name selects all, merged. */
export interface Filter {
  readonly host?: string
  readonly workload?: string
  readonly call?: string
}

export type TopBy = RollupKey | 'call'

/** What the page shows. Replaces the previous watch; after a reconnect it asks only for points that may have changed. */
export interface Watch {
  readonly type: 'watch'
  readonly filter: Filter
  /** Length of the windows: one of hello's windowsMs. */
  readonly windowMs: number
  /** Start of the first point, milliseconds since the epoch. */
  readonly fromMs: number
  readonly top: TopBy
}

export type ClientMessage = Watch

/** One window of all rollups that the filter selects, merged. */
export interface Point {
  /** Start of the window, milliseconds since the epoch. */
  readonly timeMs: number
  readonly count: number
  readonly failed: number
  /** Errors that a healthy program meets in normal work, such as EAGAIN. */
  readonly expected: number
  /** Nanoseconds. */
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
  /** Calls by power of two of nanoseconds: [floor(log2 duration), calls], without zeros. */
  readonly heat: readonly (readonly [octave: number, count: number])[]
  /** Events that the selected hosts lost in the window. */
  readonly lost: number
  /** False for a partial result: the window is open, and the point will be sent again. */
  readonly complete: boolean
}

/** One of the 100 busiest groups of the last seconds. */
export interface TopRow {
  /** '*' when the row merges several; workload too. */
  readonly host: string
  readonly workload: string
  /** Null when the grouping does not distinguish it; call is the filter's, unless the table is grouped by call. */
  readonly pid: number | null
  readonly comm: string | null
  readonly call: string | null
  readonly goFunction: string | null
  readonly callsPerSecond: number
  readonly failedPerSecond: number
  readonly p50: number
  readonly p99: number
  /** Share of the total duration of the selected calls, 0 to 1. */
  readonly timeShare: number
}

export interface HostState {
  readonly host: string
  readonly agent: string
  /** All events up to this time have arrived, milliseconds since the epoch. */
  readonly watermarkMs: number
  /** How far the rollups are behind the host, in seconds. */
  readonly lagSeconds: number
  readonly eventsPerSecond: number
  readonly countedPerSecond: number
  /** Events lost in the time that the panel keeps, by reason. */
  readonly lost: Readonly<Record<string, number>>
  /** Event classes that the edge counts instead of emitting, with the reason. */
  readonly reduced: Readonly<Record<string, string>>
  /** The edge stopped in order: no more events will come from this run. */
  readonly ended: boolean
}

/** A consumer service, as the broker sees its group. */
export interface ServiceState {
  readonly service: string
  /** Messages not yet read; null when the consumer group has no committed offset. */
  readonly messages: number | null
  /** Time without progress in a partition whose messages wait; 0 when none waits. */
  readonly stalledSeconds: number
  readonly members: number
  /** Members that joined in the last 10 minutes: more than were started have crashed. */
  readonly joins: number
}

export type ServerMessage =
  | {
      readonly type: 'hello'
      readonly version: string
      readonly windowsMs: readonly number[]
      readonly keptMs: readonly number[]
    }
  /** Ordered by time; each point replaces the page's point of the same time. whole: all points from fromMs on. */
  | { readonly type: 'points'; readonly whole: boolean; readonly points: readonly Point[] }
  | { readonly type: 'top'; readonly by: TopBy; readonly spanMs: number; readonly rows: readonly TopRow[] }
  /** The choices of the filter, busiest first. */
  | {
      readonly type: 'names'
      readonly hosts: readonly string[]
      readonly workloads: readonly string[]
      readonly calls: readonly string[]
    }
  | { readonly type: 'hosts'; readonly hosts: readonly HostState[] }
  | { readonly type: 'lag'; readonly services: readonly ServiceState[] }
  /** New alerts and revisions; after hello the last 100. */
  | { readonly type: 'alerts'; readonly alerts: readonly Alert[] }
  /** Why the data is not current, and what to do; null: it is current. */
  | { readonly type: 'stale'; readonly reason: string | null }
