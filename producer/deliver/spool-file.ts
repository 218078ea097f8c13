// Encoded batches on disk, first in, first out. When the file is full, the least important batch is evicted: its header
// stays in its place, covers its sequence numbers and declares its events as dropped. Every failure throws.
import { RingsideError } from '../../runtime/errors.ts'
import { decode } from '../../wire/codec.ts'
import { eventClasses } from '../../wire/event-class.ts'
import { eventBatchKey } from '../../wire/topics.ts'
import { type BatchHeader, encodeHeader, mergeHeaders, withDrops } from '../encode/batch-header.ts'
import { type Row, SpoolDatabase } from './spool-database.ts'

export interface SpoolableBatch {
  readonly header: BatchHeader
  readonly value: Buffer
  /** Its events, by enum ringside_class. */
  readonly byClass: readonly number[]
  readonly summaries: number
  /** It was sent, and Kafka may have it: it must not be evicted. */
  readonly sent: boolean
}

export interface SpooledBatch {
  readonly id: number
  readonly run: string
  readonly key: string
  readonly value: Buffer
  readonly byClass: readonly number[]
}

/** Events that were evicted, by enum ringside_class. */
export interface Evicted {
  readonly run: string
  readonly byClass: readonly number[]
}

export interface Added {
  /** This many of the batches, from the first on, are on disk now. */
  readonly count: number
  /** Id of the last of them. */
  readonly lastId: number
  readonly evicted: readonly Evicted[]
}

const version = 2

/** Batches are evicted in this order; headers have nothing to evict. */
const priority = { other: 0, security: 1, header: 2 } as const

const columns = ['id', 'run', 'key', 'priority', ...eventClasses, 'header', 'value']

const schema = `CREATE TABLE IF NOT EXISTS batches (id INTEGER PRIMARY KEY, run TEXT NOT NULL, key TEXT NOT NULL,
  priority INTEGER NOT NULL, ${eventClasses.map((name) => `${name} INTEGER NOT NULL`).join(', ')},
  header BLOB NOT NULL, value BLOB NOT NULL) STRICT;
  CREATE INDEX IF NOT EXISTS batches_by_priority ON batches (priority, id);`

const insert = `INSERT INTO batches (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`

const noEvents = eventClasses.map(() => 0)
const noBytes = new Uint8Array()

const priorityOf = ([process = 0, network = 0, ...rest]: readonly number[], summaries: number): number => {
  if (process + network > 0) return priority.security
  return summaries > 0 || rest.some((count) => count > 0) ? priority.other : priority.header
}

/** The batch's header with its summaries declared as dropped; eviction adds the events. */
const headerWithoutSummaries = ({ header, value, summaries }: SpoolableBatch): BatchHeader => {
  if (summaries === 0) return header
  const dropped = decode('EventBatch', value).summaries
  return withDrops(
    header,
    eventClasses.map((name) => dropped.filter((summary) => summary.class === name).length)
  )
}

const batchOf = (row: Row): SpooledBatch => ({
  id: Number(row['id']),
  run: String(row['run']),
  key: String(row['key']),
  value: Buffer.from(row['value'] as Uint8Array),
  byClass: eventClasses.map((name) => Number(row[name]))
})

export class SpoolFile {
  readonly #database: SpoolDatabase
  #nextId: number
  #count: number
  /** Batches up to this id were sent: Kafka may have them. */
  #sentThrough = 0
  /** Kafka acknowledged the batches up to this id. */
  #acknowledged = 0

  /**
   * @param path its folder is created, for the owner alone
   * @param maxBytes bound on the file and its write-ahead log; at least 16 MiB
   * @param firstId the least id that a batch gets
   * @throws RingsideError CONFIG when the file has another version; SQLite's errors as they are
   */
  constructor(path: string, maxBytes: number, firstId: number) {
    this.#database = new SpoolDatabase({ path, maxBytes, version, schema })
    try {
      this.#count = this.#database.number('SELECT count(*) FROM batches')
      this.#nextId = Math.max(firstId, this.#database.number('SELECT coalesce(max(id), 0) + 1 FROM batches'))
    } catch (error) {
      this.#database.close()
      throw error
    }
  }

  /** Batches that Kafka has not acknowledged. */
  get count(): number {
    return this.#count
  }

  /** Bytes in use. */
  get bytes(): number {
    return this.#count === 0 ? 0 : this.#database.usedBytes
  }

  /** Appends batches in one transaction; fewer when eviction cannot make enough room. */
  add(batches: readonly SpoolableBatch[]): Added {
    const evicted: Evicted[] = []
    const [firstId, countBefore, sentBefore] = [this.#nextId, this.#count, this.#sentThrough]
    try {
      this.#database.transact(() => {
        for (const batch of batches) if (!this.#addOne(batch, evicted)) break
      })
    } catch (error) {
      this.#nextId = firstId
      this.#count = countBefore
      this.#sentThrough = sentBefore
      throw error
    }
    return { count: this.#nextId - firstId, lastId: this.#nextId - 1, evicted }
  }

  /** Takes the oldest batches for sending: at least one, and no more than maxBytes or maxCount. */
  oldest(maxBytes: number, maxCount: number): SpooledBatch[] {
    const group: SpooledBatch[] = []
    let bytes = 0
    for (const row of this.#database.iterate('SELECT * FROM batches WHERE id > ? ORDER BY id', this.#acknowledged)) {
      const batch = batchOf(row)
      bytes += batch.value.length
      if (group.length > 0 && bytes > maxBytes) break
      group.push(batch)
      this.#sentThrough = Math.max(this.#sentThrough, batch.id)
      if (group.length >= maxCount) break
    }
    if (group.length === 0)
      throw new RingsideError('DATA', `the spool's batches after id ${this.#acknowledged} are gone`)
    return group
  }

  /** Kafka acknowledged the batches up to this id: deletes them, now or with a later call if the disk refuses. */
  acknowledge(id: number): void {
    const sql = 'SELECT count(*) FROM batches WHERE id > ? AND id <= ?'
    this.#count -= this.#database.number(sql, this.#acknowledged, id)
    this.#acknowledged = id
    this.#database.run('DELETE FROM batches WHERE id <= ?', id)
  }

  /** Returns up to so many free pages to the file system. */
  shrink(pages: number): void {
    this.#database.shrink(pages)
  }

  close(): void {
    this.#database.close()
  }

  /** Evicts until the batch fits; the batch itself, if it has no security event, before any that has one. */
  #addOne(batch: SpoolableBatch, evicted: Evicted[]): boolean {
    const header = headerWithoutSummaries(batch)
    const encodedHeader = encodeHeader(header)
    const ownPriority = priorityOf(batch.byClass, batch.summaries)
    let isOwnEvicted = false
    let bytes = batch.value.length + encodedHeader.length
    while (!this.#database.hasRoomFor(bytes)) {
      const isOwnNext = ownPriority === priority.other && !batch.sent && !isOwnEvicted
      const victim = this.#leastImportant(isOwnNext ? priority.other : priority.security)
      if (victim !== undefined) {
        evicted.push(this.#evict(victim))
      } else if (isOwnNext) {
        isOwnEvicted = true
        bytes = encodeHeader(withDrops(header, batch.byClass)).length
      } else return false
    }
    if (isOwnEvicted) {
      evicted.push({ run: batch.header.run, byClass: batch.byClass })
      this.#insert(batch, priority.header, noEvents, noBytes, this.#mergeIntoLast(withDrops(header, batch.byClass)))
    } else {
      const spare = ownPriority === priority.header ? noBytes : encodedHeader
      this.#insert(batch, ownPriority, batch.byClass, spare, batch.value)
    }
    return true
  }

  #insert(
    { header: { run }, header, sent }: SpoolableBatch,
    ownPriority: number,
    byClass: readonly number[],
    encodedHeader: Uint8Array,
    value: Buffer
  ): void {
    const id = this.#nextId++
    this.#database.run(insert, id, run, eventBatchKey(header), ownPriority, ...byClass, encodedHeader, value)
    this.#count++
    if (sent) this.#sentThrough = id
  }

  #leastImportant(maxPriority: number): Row | undefined {
    const sql = 'SELECT * FROM batches WHERE priority <= ? AND id > ? ORDER BY priority, id LIMIT 1'
    return this.#database.get(sql, maxPriority, this.#sentThrough)
  }

  /** Replaces a batch by its header, merged with adjacent headers. */
  #evict(row: Row): Evicted {
    const { id, run, byClass } = batchOf(row)
    const header = withDrops(decode('EventBatch', Buffer.from(row['header'] as Uint8Array)), byClass)
    const before = this.#headerAt('<= ? ORDER BY id DESC', id - 1, run)
    const after = this.#headerAt('>= ? ORDER BY id', id + 1, run)
    const headers: BatchHeader[] = [header]
    if (before !== undefined) headers.unshift(decode('EventBatch', before.value))
    if (after !== undefined) headers.push(decode('EventBatch', after.value))
    const last = after?.id ?? id
    for (const merged of [before?.id, id]) {
      if (merged !== undefined && merged !== last) this.#remove(merged)
    }
    const zeros = eventClasses.map((name) => `${name} = 0`).join(', ')
    const sql = `UPDATE batches SET priority = ?, ${zeros}, header = x'', value = ? WHERE id = ?`
    this.#database.run(sql, priority.header, encodeHeader(mergeHeaders(headers)), last)
    return { run, byClass }
  }

  /** Encodes the header of a new batch, merged with the last batch if that is a header, too, which it then replaces. */
  #mergeIntoLast(header: BatchHeader): Buffer {
    const last = this.#headerAt('<= ? ORDER BY id DESC', this.#nextId - 1, header.run)
    if (last === undefined) return encodeHeader(header)
    this.#remove(last.id)
    return encodeHeader(mergeHeaders([decode('EventBatch', last.value), header]))
  }

  #remove(id: number): void {
    this.#database.run('DELETE FROM batches WHERE id = ?', id)
    this.#count--
  }

  /** The batch at a place, if it is a header of the run that was not sent. */
  #headerAt(place: string, id: number, run: string): SpooledBatch | undefined {
    const row = this.#database.get(`SELECT * FROM batches WHERE id ${place} LIMIT 1`, id)
    if (row === undefined || row['priority'] !== priority.header || row['run'] !== run) return undefined
    return Number(row['id']) > this.#sentThrough ? batchOf(row) : undefined
  }
}
