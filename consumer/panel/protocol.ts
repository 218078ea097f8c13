// What the panel's page and its service say to each other over the WebSocket, as JSON. The page says what it looks at;
// the service sends all of that it has, then what is new, and leaves out what a slow page has not taken in time.
import type { Alert, RollupKey } from '../../wire/types.ts'

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

export interface TopRow {
  readonly host: string
  readonly workload: string
  /** Null where the row is not of one. */
  readonly pid: number | null
  readonly comm: string | null
  readonly call: string | null
  readonly goFunction: string | null
  readonly callsPerSecond: number
  readonly errorsPerSecond: number
  readonly p50: number
  readonly p99: number
  /** Of the time that all calls took, 0 to 1. */
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
  /** In order of time. whole: they replace all that the page has. */
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
