// The SQLite file of the spool: open in one process at a time, readable by its owner alone, bounded in size. Every
// failure throws.
import { closeSync, fchmodSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { RingsideError } from '../../runtime/errors.ts'

export type Row = Record<string, unknown>

export interface SpoolDatabaseOptions {
  /** Its folder is created, for the owner alone. */
  readonly path: string
  /** Bound on the file and its write-ahead log; at least 16 MiB. */
  readonly maxBytes: number
  /** Of the schema; a file of another version is refused. */
  readonly version: number
  /** Statements that create the tables and indexes that are missing. */
  readonly schema: string
}

const pageBytes = 4096
/** The log's share of the bound. It is checkpointed at half of it, and a transaction is far smaller. */
const logBytes = 8 << 20
/** A page of a large value holds a pointer to the next one. */
const usablePageBytes = pageBytes - 4
/** Pages for a row, its index entry and their parents, in addition to its values. */
const rowPages = 3

const createFile = (path: string): void => {
  const folder = dirname(path)
  mkdirSync(dirname(folder), { recursive: true })
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const fd = openSync(path, 'a', 0o600)
  fchmodSync(fd, 0o600)
  closeSync(fd)
}

export class SpoolDatabase {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  readonly #maxPages: number

  /** @throws RingsideError CONFIG when the file has another version; SQLite's errors as they are */
  constructor({ path, maxBytes, version, schema }: SpoolDatabaseOptions) {
    createFile(path)
    this.#maxPages = Math.floor((maxBytes - logBytes) / pageBytes)
    this.#db = new DatabaseSync(path, { timeout: 0 })
    try {
      this.#prepare(path, version, schema)
    } catch (error) {
      this.#db.close()
      throw error
    }
  }

  get usedBytes(): number {
    return this.#usedPages() * pageBytes
  }

  /** True when a row with values of so many bytes fits. */
  hasRoomFor(bytes: number): boolean {
    return this.#usedPages() + rowPages + Math.ceil(bytes / usablePageBytes) <= this.#maxPages
  }

  run(sql: string, ...values: SQLInputValue[]): void {
    this.#statement(sql).run(...values)
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...values) as Row | undefined
  }

  iterate(sql: string, ...values: SQLInputValue[]): Iterable<Row> {
    return this.#statement(sql).iterate(...values) as Iterable<Row>
  }

  /** The first column of the first row, as a number. */
  number(sql: string, ...values: SQLInputValue[]): number {
    return Number(Object.values(this.get(sql, ...values) ?? {})[0])
  }

  /** Does the work in one transaction, which is rolled back when the work throws. */
  transact(work: () => void): void {
    this.run('BEGIN IMMEDIATE')
    try {
      work()
      this.run('COMMIT')
    } catch (error) {
      if (this.#db.isTransaction) this.run('ROLLBACK')
      throw error
    }
  }

  /** Returns up to so many free pages to the file system. */
  shrink(pages: number): void {
    if (this.number('PRAGMA freelist_count') > 0) this.#db.exec(`PRAGMA incremental_vacuum(${pages})`)
  }

  close(): void {
    this.#db.close()
  }

  #prepare(path: string, version: number, schema: string): void {
    this.#db.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA page_size = ${pageBytes}; PRAGMA auto_vacuum = INCREMENTAL;
      PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;
      PRAGMA wal_autocheckpoint = ${logBytes / 2 / pageBytes}; PRAGMA journal_size_limit = ${logBytes};
      PRAGMA max_page_count = ${this.#maxPages}; BEGIN IMMEDIATE`)
    const found = this.number('PRAGMA user_version')
    if (found !== 0 && found !== version) {
      throw new RingsideError(
        'CONFIG',
        `${path} has version ${found}, this Ringside writes version ${version}; move the file away`
      )
    }
    // This write also opens the write-ahead log: after the privilege drop the process may not be able to.
    this.#db.exec(`${schema} PRAGMA user_version = ${version}; COMMIT`)
  }

  #usedPages(): number {
    return this.number('PRAGMA page_count') - this.number('PRAGMA freelist_count')
  }

  #statement(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}
