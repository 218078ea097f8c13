// Where batches wait on disk while Kafka is away. Nothing here throws: a file that cannot be used is named in
// the log once, and the edge goes on with what its memory holds; what is lost by it is in the account.
import { existsSync, renameSync } from 'node:fs'
import { messageOf } from '../../runtime/errors.ts'
import type { Log } from '../../runtime/log.ts'
import { eventClasses } from '../source/raw-event.ts'
import { type SpoolableBatch, type SpooledBatch, SpoolFile } from './spool-file.ts'

export interface SpoolOptions {
  readonly path: string
  /** Of the file and its write-ahead log. */
  readonly maxBytes: number
  /** The run that puts batches in; what is found of others is theirs. */
  readonly run: string
  readonly log: Log
}

/** Events by enum ringside_class. */
export interface SpoolAccount {
  /** Of this run, on disk now. */
  readonly waiting: readonly number[]
  /** Of this run, given up because the spool was full. */
  readonly givenUp: readonly number[]
  /** Of this run, in a file that could not be read any more. */
  readonly unreadable: readonly number[]
  /** Of earlier runs, given up because the spool was full. */
  readonly earlierGivenUp: readonly number[]
}

/** After a disk refused a write. */
const retryMs = 5_000
/** 4 MiB a call: some 10 ms. */
const shrinkPages = 1024

const sqliteCorrupt = 11
const sqliteNotADatabase = 26

/** The primary result code of SQLite; undefined for other errors. */
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
  readonly #waiting = zeros()
  readonly #givenUp = zeros()
  readonly #unreadable = zeros()
  readonly #earlierGivenUp = zeros()
  #file: SpoolFile | undefined
  /** Numbers go on from file to file. */
  #firstId = 1
  #lastId = 0
  #refusedAt = Number.NEGATIVE_INFINITY
  #refusing = false
  #overflowing = false

  /** Opens the file, or makes it; both take the rights of the moment, and later calls need none. */
  constructor(options: SpoolOptions) {
    this.#options = options
    const { log, path } = options
    this.#file = this.#open()
    const { batches, bytes } = this
    if (batches > 0) log.info({ batches, bytes }, `${batches} batches of earlier runs wait in ${path}: they go first`)
  }

  get account(): SpoolAccount {
    return {
      waiting: this.#waiting,
      givenUp: this.#givenUp,
      unreadable: this.#unreadable,
      earlierGivenUp: this.#earlierGivenUp
    }
  }

  get batches(): number {
    return this.#file?.count ?? 0
  }

  get bytes(): number {
    return this.#file?.bytes ?? 0
  }

  /**
   * Puts batches on disk, all of them in one transaction.
   * @returns how many of them, from the first on, are there now, and the number of the last
   */
  add(batches: readonly SpoolableBatch[]): { readonly count: number; readonly lastId: number } {
    const nothing = { count: 0, lastId: 0 }
    const file = this.#file
    if (file === undefined || performance.now() - this.#refusedAt < retryMs) return nothing
    try {
      const { count, lastId, givenUp } = file.add(batches)
      this.#lastId = lastId
      for (const { byClass } of batches.slice(0, count)) addTo(this.#waiting, byClass)
      for (const { run, byClass } of givenUp) this.#account(run, byClass)
      this.#logOverflow(givenUp.length > 0 || count < batches.length)
      if (this.#refusing) this.#options.log.info(`the spool ${this.#options.path} can be written again`)
      this.#refusing = false
      return { count, lastId }
    } catch (error) {
      this.#failed(error)
      return nothing
    }
  }

  /** The oldest batches, at least one if any waits, and no more than maxBytes or maxCount. */
  head(maxBytes: number, maxCount: number): SpooledBatch[] {
    if (this.batches === 0) return []
    try {
      const group = this.#file?.head(maxBytes, maxCount) ?? []
      this.#lastId = Math.max(this.#lastId, group.at(-1)?.id ?? 0)
      return group
    } catch (error) {
      // Whatever the reason is, what comes later must not wait for it.
      this.#setAside(error)
      return []
    }
  }

  /** Kafka has these, the oldest of all. */
  acknowledge(batches: readonly Pick<SpooledBatch, 'id' | 'run' | 'byClass'>[]): void {
    for (const { id, run, byClass } of batches) {
      if (run === this.#options.run) addTo(id < this.#firstId ? this.#unreadable : this.#waiting, byClass, -1)
    }
    const last = batches.at(-1)
    if (this.#file === undefined || last === undefined || last.id < this.#firstId) return
    try {
      this.#file.acknowledge(last.id)
    } catch (error) {
      this.#failed(error)
    }
  }

  /** Gives room back to the disk while nothing waits; to be called now and then. */
  tidy(): void {
    if (this.#file === undefined || this.batches > 0 || this.#refusing) return
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
      this.#options.log.warn(`closing the spool ${this.#options.path}: ${messageOf(error)}`)
    }
    this.#file = undefined
  }

  #open(): SpoolFile | undefined {
    const { path, maxBytes, log } = this.#options
    try {
      return new SpoolFile(path, maxBytes, this.#firstId)
    } catch (error) {
      if (isDamage(error)) return this.#replace(error)
      const remedy = 'batches wait in memory only while Kafka is away'
      log.error(`the spool ${path} cannot be used (another edge may hold it): ${messageOf(error)}; ${remedy}`)
      return undefined
    }
  }

  /** Moves a damaged file out of the way and begins a new one. */
  #replace(error: unknown): SpoolFile | undefined {
    const { path, maxBytes, log } = this.#options
    const aside = `${path}.corrupt-${new Date().toISOString().replaceAll(':', '')}`
    try {
      renameSync(path, aside)
      if (existsSync(`${path}-wal`)) renameSync(`${path}-wal`, `${aside}-wal`)
      const file = new SpoolFile(path, maxBytes, this.#firstId)
      log.error(`the spool ${path} is damaged (${messageOf(error)}): moved to ${aside}, a new one begins`)
      return file
    } catch (cause) {
      const why = `${messageOf(error)}; it cannot be replaced: ${messageOf(cause)}`
      log.error(`the spool ${path} is damaged: ${why}; batches wait in memory only while Kafka is away`)
      return undefined
    }
  }

  #failed(error: unknown): void {
    if (isDamage(error)) {
      this.#setAside(error)
      return
    }
    const text = `the spool ${this.#options.path} cannot be written: ${messageOf(error)}; batches wait in memory`
    if (!this.#refusing) this.#options.log.error(`${text}, and it is tried again every ${retryMs / 1000} s`)
    this.#refusing = true
    this.#refusedAt = performance.now()
  }

  #setAside(error: unknown): void {
    this.close()
    addTo(this.#unreadable, this.#waiting)
    this.#waiting.fill(0)
    this.#firstId = this.#lastId + 1
    this.#file = this.#replace(error)
  }

  #account(run: string, byClass: readonly number[]): void {
    if (run !== this.#options.run) {
      addTo(this.#earlierGivenUp, byClass)
      return
    }
    addTo(this.#waiting, byClass, -1)
    addTo(this.#givenUp, byClass)
  }

  #logOverflow(overflowing: boolean): void {
    if (overflowing && !this.#overflowing) {
      this.#options.log.warn({ bytes: this.bytes }, 'the spool is full (edge.spool.maxBytes): events are given up')
    }
    if (this.batches === 0 || overflowing) this.#overflowing = overflowing
  }
}
