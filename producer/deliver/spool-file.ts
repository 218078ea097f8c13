// Encoded batches in an SQLite file, first in, first out. One process holds it at a time. Bounded: what has to
// give way keeps its place, its number and its ranges, and declares its events as dropped. Every failure throws.
import { closeSync, fchmodSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { RingsideError } from '../../runtime/errors.ts'
import { decode } from '../../wire/codec.ts'
import { eventBatchKey } from '../../wire/topics.ts'
import { type BatchHeader, mergeHeaders, withDrops, withoutEvents } from '../encode/batch-header.ts'
import { eventClasses } from '../source/raw-event.ts'

export interface SpoolableBatch {
  readonly head: BatchHeader
  readonly value: Buffer
  /** Events in it by enum ringside_class. */
  readonly byClass: readonly number[]
  readonly summaries: number
  /** It was sent, and Kafka may have it: it must not become another one. */
  readonly sent: boolean
}

export interface SpooledBatch {
  readonly id: number
  readonly run: string
  readonly key: string
  readonly value: Buffer
  readonly byClass: readonly number[]
}

/** Events that had to give way, by enum ringside_class. */
export interface GivenUp {
  readonly run: string
  readonly byClass: readonly number[]
}

export interface Added {
  /** How many of the batches, from the first on, are on disk now. */
  readonly count: number
  /** Number of the last of them. */
  readonly lastId: number
  readonly givenUp: readonly GivenUp[]
}

const version = 1
const pageBytes = 4096
/** Of the bound, for the write-ahead log: its checkpoint is due at half of it, and one add() is far smaller. */
const logBytes = 8 << 20
/** Of a page of a large value, less the pointer to the next; and what a row needs beside its values. */
const usablePageBytes = pageBytes - 4
const rowPages = 3

/** What gives way first: batches without a security event, then those with; the rest has nothing to give. */
const rank = { other: 0, security: 1, empty: 2 } as const

const rankOf = ([exec = 0, network = 0, ...rest]: readonly number[], summaries: number): number => {
  if (exec + network > 0) return rank.security
  return summaries > 0 || rest.some((count) => count > 0) ? rank.other : rank.empty
}

/** What is left of a batch that gives way, but for the declaration of its events: that is made when it does. */
const headerOf = ({ head, value, summaries }: SpoolableBatch): BatchHeader => {
  if (summaries === 0) return head
  const lost = decode('EventBatch', value).summaries
  return withDrops(
    head,
    eventClasses.map((name) => lost.filter((summary) => summary.class === name).length)
  )
}

const none = eventClasses.map(() => 0)
const pagesFor = (bytes: number): number => rowPages + Math.ceil(bytes / usablePageBytes)

type Row = Record<string, unknown>

const batchOf = (row: Row): SpooledBatch => ({
  id: Number(row['id']),
  run: String(row['run']),
  key: String(row['key']),
  value: Buffer.from(row['value'] as Uint8Array),
  byClass: eventClasses.map((name) => Number(row[name]))
})

export class SpoolFile {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()
  readonly #maxPages: number
  #nextId: number
  #count: number
  /** Up to this one Kafka may have them. */
  #sentThrough = 0
  /** Up to this one Kafka has them for sure. */
  #acknowledged = 0

  /**
   * @param path its folder is made, for the owner alone
   * @param maxBytes of the file and its write-ahead log; at least 16 MiB
   * @param firstId the least number that a batch gets
   * @throws RingsideError CONFIG when the file is of another version; SQLite's errors as they are
   */
  constructor(path: string, maxBytes: number, firstId: number) {
    const folder = dirname(path)
    mkdirSync(dirname(folder), { recursive: true })
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const fd = openSync(path, 'a', 0o600)
    fchmodSync(fd, 0o600)
    closeSync(fd)
    this.#maxPages = Math.floor((maxBytes - logBytes) / pageBytes)
    this.#db = new DatabaseSync(path, { timeout: 0 })
    try {
      this.#prepare(path)
      this.#count = this.#number('SELECT count(*) FROM batches')
      this.#nextId = Math.max(firstId, this.#number('SELECT coalesce(max(id), 0) + 1 FROM batches'))
    } catch (error) {
      this.#db.close()
      throw error
    }
  }

  /** Batches that Kafka has not acknowledged. */
  get count(): number {
    return this.#count
  }

  /** Bytes in use. */
  get bytes(): number {
    return this.#count === 0 ? 0 : this.#usedPages() * pageBytes
  }

  /** Puts batches at the end of the line, in one transaction; fewer when there is no room to be made. */
  add(batches: readonly SpoolableBatch[]): Added {
    const givenUp: GivenUp[] = []
    const [firstId, countBefore, sentBefore] = [this.#nextId, this.#count, this.#sentThrough]
    this.#run('BEGIN IMMEDIATE')
    try {
      for (const batch of batches) if (!this.#addOne(batch, givenUp)) break
      this.#run('COMMIT')
    } catch (error) {
      if (this.#db.isTransaction) this.#run('ROLLBACK')
      this.#nextId = firstId
      this.#count = countBefore
      this.#sentThrough = sentBefore
      throw error
    }
    return { count: this.#nextId - firstId, lastId: this.#nextId - 1, givenUp }
  }

  /** The oldest batches, of those that wait: at least one and no more than maxBytes or maxCount; they are about to be sent. */
  head(maxBytes: number, maxCount: number): SpooledBatch[] {
    const group: SpooledBatch[] = []
    let bytes = 0
    const rows = this.#statement('SELECT * FROM batches WHERE id > ? ORDER BY id').iterate(this.#acknowledged)
    for (const row of rows) {
      const batch = batchOf(row as Row)
      bytes += batch.value.length
      if (group.length > 0 && bytes > maxBytes) break
      group.push(batch)
      this.#sentThrough = Math.max(this.#sentThrough, batch.id)
      if (group.length >= maxCount) break
    }
    if (group.length === 0) throw new RingsideError('DATA', 'batches that were there are not found')
    return group
  }

  /** Kafka has everything up to this one: it goes, now or with a later call should the disk refuse. */
  acknowledge(id: number): void {
    this.#count -= this.#number('SELECT count(*) FROM batches WHERE id > ? AND id <= ?', this.#acknowledged, id)
    this.#acknowledged = id
    this.#run('DELETE FROM batches WHERE id <= ?', id)
  }

  /** Gives some of the room of what is gone back to the disk. */
  shrink(pages: number): void {
    if (this.#number('PRAGMA freelist_count') > 0) this.#db.exec(`PRAGMA incremental_vacuum(${pages})`)
  }

  close(): void {
    this.#db.close()
  }

  #prepare(path: string): void {
    this.#db.exec(`PRAGMA locking_mode = EXCLUSIVE; PRAGMA page_size = ${pageBytes}; PRAGMA auto_vacuum = INCREMENTAL;
      PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;
      PRAGMA wal_autocheckpoint = ${logBytes / 2 / pageBytes}; PRAGMA journal_size_limit = ${logBytes};
      PRAGMA max_page_count = ${this.#maxPages}; BEGIN IMMEDIATE`)
    const found = this.#number('PRAGMA user_version')
    if (found !== 0 && found !== version) {
      throw new RingsideError('CONFIG', `${path} is of version ${found}; this Ringside knows version ${version}`)
    }
    // Writing once opens the log, too: later on this process may no longer be allowed to.
    this.#db.exec(`CREATE TABLE IF NOT EXISTS batches (id INTEGER PRIMARY KEY, run TEXT NOT NULL, key TEXT NOT NULL,
      rank INTEGER NOT NULL, ${eventClasses.map((name) => `${name} INTEGER NOT NULL`).join(', ')},
      header BLOB NOT NULL, value BLOB NOT NULL) STRICT;
      CREATE INDEX IF NOT EXISTS batches_by_rank ON batches (rank, id);
      PRAGMA user_version = ${version}; COMMIT`)
  }

  #addOne(batch: SpoolableBatch, givenUp: GivenUp[]): boolean {
    const header = headerOf(batch)
    const headerBytes = withoutEvents(header)
    let { value, byClass, summaries } = batch
    let own: GivenUp | undefined
    let wanted = pagesFor(value.length + headerBytes.length)
    while (this.#usedPages() + wanted > this.#maxPages) {
      // A newcomer without a security event goes before any that has one.
      const yields = rankOf(byClass, summaries) === rank.other && !batch.sent
      const victim = this.#victim(yields ? rank.other : rank.security)
      if (victim !== undefined) {
        givenUp.push(this.#giveUp(victim))
      } else if (yields) {
        own = { run: batch.head.run, byClass }
        value = withoutEvents(withDrops(header, byClass))
        byClass = none
        summaries = 0
        wanted = pagesFor(value.length)
      } else return false
    }
    if (own !== undefined) {
      givenUp.push(own)
      value = this.#joinToLast(withDrops(header, own.byClass))
    }
    const id = this.#nextId++
    const ownRank = rankOf(byClass, summaries)
    const columns = ['id', 'run', 'key', 'rank', ...eventClasses, 'header', 'value']
    this.#run(
      `INSERT INTO batches (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
      ...[id, batch.head.run, eventBatchKey(batch.head), ownRank, ...byClass],
      ownRank === rank.empty ? new Uint8Array() : headerBytes,
      value
    )
    this.#count++
    if (batch.sent) this.#sentThrough = id
    return true
  }

  #victim(worst: number): Row | undefined {
    const sql = 'SELECT * FROM batches WHERE rank <= ? AND id > ? ORDER BY rank, id LIMIT 1'
    return this.#statement(sql).get(worst, this.#sentThrough) as Row | undefined
  }

  /** Takes a batch's events out, and joins it with neighbours that have none either. */
  #giveUp(row: Row): GivenUp {
    const { id, run, byClass } = batchOf(row)
    const head = withDrops(decode('EventBatch', Buffer.from(row['header'] as Uint8Array)), byClass)
    const before = this.#emptyNeighbour('<= ? ORDER BY id DESC', id - 1, run)
    const after = this.#emptyNeighbour('>= ? ORDER BY id', id + 1, run)
    const heads: BatchHeader[] = [head]
    if (before !== undefined) heads.unshift(decode('EventBatch', before.value))
    if (after !== undefined) heads.push(decode('EventBatch', after.value))
    const last = after?.id ?? id
    for (const joined of [before?.id, id]) {
      if (joined !== undefined && joined !== last) this.#remove(joined)
    }
    const zeros = eventClasses.map((name) => `${name} = 0`).join(', ')
    const sql = `UPDATE batches SET rank = ?, ${zeros}, header = x'', value = ? WHERE id = ?`
    this.#run(sql, rank.empty, withoutEvents(mergeHeaders(heads)), last)
    return { run, byClass }
  }

  /** The value of a newcomer without events, which takes the place of the last batch if that has none either. */
  #joinToLast(head: BatchHeader): Buffer {
    const last = this.#emptyNeighbour('<= ? ORDER BY id DESC', this.#nextId - 1, head.run)
    if (last === undefined) return withoutEvents(head)
    this.#remove(last.id)
    return withoutEvents(mergeHeaders([decode('EventBatch', last.value), head]))
  }

  #remove(id: number): void {
    this.#run('DELETE FROM batches WHERE id = ?', id)
    this.#count--
  }

  #emptyNeighbour(where: string, id: number, run: string): SpooledBatch | undefined {
    const row = this.#statement(`SELECT * FROM batches WHERE id ${where} LIMIT 1`).get(id) as Row | undefined
    if (row === undefined || row['rank'] !== rank.empty || row['run'] !== run) return undefined
    return Number(row['id']) > this.#sentThrough ? batchOf(row) : undefined
  }

  #usedPages(): number {
    return this.#number('PRAGMA page_count') - this.#number('PRAGMA freelist_count')
  }

  #statement(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#statement(sql).run(...values)
  }

  #number(sql: string, ...values: SQLInputValue[]): number {
    return Number(Object.values(this.#statement(sql).get(...values) ?? {})[0])
  }
}
