// Holds batches on disk while Kafka is away, and counts their events. Never throws: a failure is logged once, the edge
// goes on with its memory alone, and the events that are lost by it are counted.
import { existsSync, renameSync } from 'node:fs'
import { messageOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import { eventClasses } from '../../wire/event-class.ts'
import { type SpoolableBatch, type SpooledBatch, SpoolFile } from './spool-file.ts'

export interface SpoolOptions {
  readonly path: string
  /** Bound on the file and its write-ahead log. */
  readonly maxBytes: number
  /** This run; the file may hold batches of earlier ones. */
  readonly run: string
  readonly log: Log
}

/** Events by enum ringside_class. */
export interface SpoolAccount {
  /** Events of this run on disk now. */
  readonly spooled: readonly number[]
  /** Events of this run evicted because the spool was full. */
  readonly evicted: readonly number[]
  /** Events of this run lost in a damaged file. */
  readonly unreadable: readonly number[]
  /** Events of earlier runs evicted because the spool was full. */
  readonly earlierEvicted: readonly number[]
}

/** Pause after a failed write. */
const retryMs = 5_000
/** 4 MiB per call: some 10 ms. */
const shrinkPages = 1024

const sqliteBusy = 5
const sqliteCorrupt = 11
const sqliteNotADatabase = 26

/** SQLite's primary result code; undefined for other errors. */
const codeOf = (error: unknown): number | undefined => {
  const code = error instanceof Error && 'errcode' in error ? error.errcode : undefined
  return typeof code === 'number' ? code & 0xff : undefined
}

const isDamage = (error: unknown): boolean => {
  const code = codeOf(error)
  return code === sqliteCorrupt || code === sqliteNotADatabase
}

const zeros = (): number[] => eventClasses.map(() => 0)

const addTo = (totals: number[], counts: readonly number[], sign = 1): void => {
  counts.forEach((count, i) => {
    totals[i] = (totals[i] as number) + sign * count
  })
}

export class Spool {
  readonly #options: SpoolOptions
  readonly #spooled = zeros()
  readonly #evicted = zeros()
  readonly #unreadable = zeros()
  readonly #earlierEvicted = zeros()
  #file: SpoolFile | undefined
  /** Ids continue from a damaged file to its replacement. */
  #firstId = 1
  #lastId = 0
  #failedAt = Number.NEGATIVE_INFINITY
  #isFailing = false
  #isOverflowing = false

  /** Opens or creates the file. Later calls work without the privileges that this may need. */
  constructor(options: SpoolOptions) {
    this.#options = options
    const { log, path } = options
    this.#file = this.#open()
    const { batches, bytes } = this
    if (batches > 0)
      log.info({ batches, bytes }, `${batches} batches of earlier runs are in spool ${path}, publishing them first`)
  }

  get account(): SpoolAccount {
    return {
      spooled: this.#spooled,
      evicted: this.#evicted,
      unreadable: this.#unreadable,
      earlierEvicted: this.#earlierEvicted
    }
  }

  get batches(): number {
    return this.#file?.count ?? 0
  }

  get bytes(): number {
    return this.#file?.bytes ?? 0
  }

  /**
   * Writes batches to disk in one transaction.
   * @returns how many of them, from the first on, are on disk now, and the id of the last
   */
  add(batches: readonly SpoolableBatch[]): { readonly count: number; readonly lastId: number } {
    const nothing = { count: 0, lastId: 0 }
    const file = this.#file
    if (file === undefined || performance.now() - this.#failedAt < retryMs) return nothing
    try {
      const { count, lastId, evicted } = file.add(batches)
      this.#lastId = lastId
      for (const { byClass } of batches.slice(0, count)) addTo(this.#spooled, byClass)
      for (const { run, byClass } of evicted) this.#countEvicted(run, byClass)
      this.#logOverflow(evicted.length > 0 || count < batches.length)
      if (this.#isFailing) this.#options.log.info(`writing to spool ${this.#options.path} again`)
      this.#isFailing = false
      return { count, lastId }
    } catch (error) {
      this.#failed(error)
      return nothing
    }
  }

  /** Takes the oldest batches for sending: at least one if there is any, and no more than maxBytes or maxCount. */
  oldest(maxBytes: number, maxCount: number): SpooledBatch[] {
    if (this.batches === 0) return []
    try {
      const group = this.#file?.oldest(maxBytes, maxCount) ?? []
      this.#lastId = Math.max(this.#lastId, group.at(-1)?.id ?? 0)
      return group
    } catch (error) {
      // Whatever the reason, later batches must not wait for it.
      this.#setAside(error)
      return []
    }
  }

  /** Kafka acknowledged these batches, the oldest of all. */
  acknowledge(batches: readonly Pick<SpooledBatch, 'id' | 'run' | 'byClass'>[]): void {
    for (const { id, run, byClass } of batches) {
      if (run === this.#options.run) addTo(id < this.#firstId ? this.#unreadable : this.#spooled, byClass, -1)
    }
    const last = batches.at(-1)
    if (this.#file === undefined || last === undefined || last.id < this.#firstId) return
    try {
      this.#file.acknowledge(last.id)
    } catch (error) {
      this.#failed(error)
    }
  }

  /** Returns some free space to the file system while the spool is empty; call it regularly. */
  tidy(): void {
    if (this.#file === undefined || this.batches > 0 || this.#isFailing) return
    try {
      this.#file.shrink(shrinkPages)
    } catch (error) {
      this.#failed(error)
    }
  }

  close(): void {
    try {
      this.#file?.close()
    } catch (error) {
      this.#options.log.warn(`cannot close spool ${this.#options.path}: ${messageOf(error)}`)
    }
    this.#file = undefined
  }

  #open(): SpoolFile | undefined {
    const { path, maxBytes, log } = this.#options
    try {
      return new SpoolFile(path, maxBytes, this.#firstId)
    } catch (error) {
      if (isDamage(error)) return this.#replace(error)
      const why = `${messageOf(error)}${codeOf(error) === sqliteBusy ? ' (another edge uses it)' : ''}`
      log.error(`cannot open spool ${path}: ${why}; while Kafka is away, batches wait in memory only`)
      return undefined
    }
  }

  /** Moves a damaged file aside and creates a new one. */
  #replace(error: unknown): SpoolFile | undefined {
    const { path, maxBytes, log } = this.#options
    const aside = `${path}.corrupt-${new Date().toISOString().replaceAll(':', '')}`
    try {
      renameSync(path, aside)
      if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${aside}-wal`)
      const file = new SpoolFile(path, maxBytes, this.#firstId)
      log.error(`spool ${path} is damaged (${messageOf(error)}): moved it to ${aside}, created a new one`)
      return file
    } catch (cause) {
      const why = `${messageOf(error)}), and cannot be replaced: ${messageOf(cause)}`
      log.error(`spool ${path} is damaged (${why}; while Kafka is away, batches wait in memory only`)
      return undefined
    }
  }

  #failed(error: unknown): void {
    if (isDamage(error)) {
      this.#setAside(error)
      return
    }
    const text = `cannot write to spool ${this.#options.path}, retrying every ${retryMs / 1000} s`
    if (!this.#isFailing) this.#options.log.error(`${text}: ${messageOf(error)}; until then batches wait in memory`)
    this.#isFailing = true
    this.#failedAt = performance.now()
  }

  #setAside(error: unknown): void {
    this.close()
    addTo(this.#unreadable, this.#spooled)
    this.#spooled.fill(0)
    this.#firstId = this.#lastId + 1
    this.#file = this.#replace(error)
  }

  #countEvicted(run: string, byClass: readonly number[]): void {
    if (run !== this.#options.run) {
      addTo(this.#earlierEvicted, byClass)
      return
    }
    addTo(this.#spooled, byClass, -1)
    addTo(this.#evicted, byClass)
  }

  #logOverflow(isOverflowing: boolean): void {
    if (isOverflowing && !this.#isOverflowing) {
      this.#options.log.warn(
        { bytes: this.bytes },
        'the spool is full (edge.spool.maxBytes), evicting the least important events'
      )
    }
    if (this.batches === 0 || isOverflowing) this.#isOverflowing = isOverflowing
  }
}
