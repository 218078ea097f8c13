// The rings and summaries of the kernel programs: loads and attaches the programs, hands out records in batches, and
// releases them. Failures become errors that name the remedy.
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { recordMaxBytes } from '../../bpf/event.ts'
import { RingsideError } from '../../runtime/errors.ts'
import { addon, buildDir, type LimitedCalls, type NativeRing, toRingsideError } from './addon.ts'
import { fromNativeAccount, type RingAccount, type RingMark, toTable } from './ring-account.ts'
import {
  type RingFilter,
  type RingOptions,
  requireCallTable,
  requireProcessEvents,
  toNativeFilter,
  toNativeOptions
} from './ring-options.ts'
import { type RingStatistics, toRingStatistics } from './ring-statistics.ts'

const kernelTypes = '/sys/kernel/btf/vmlinux'

export class Ring {
  readonly #native: NativeRing
  /** The position that reading starts at; all zeros without a takeover. */
  readonly begin: RingMark
  /** The account of the dead edge; undefined without one. */
  readonly previous: RingAccount | undefined
  /** For the log: a takeover, or the reason that there is none, or that nothing is pinned. */
  readonly notes: readonly string[]
  /** Names of programs that this kernel does not support. */
  readonly unsupported: readonly string[]
  /** Sizes of the process ring, the security ring and the rest ring; a takeover keeps the sizes of the dead edge. */
  readonly ringBytes: readonly number[]

  private constructor(native: NativeRing) {
    this.#native = native
    const [process = 0, security = 0, rest = 0, summaries = 0] = native.begin
    this.begin = { process, security, rest, summaries }
    this.previous = native.previous === null ? undefined : fromNativeAccount(native.previous)
    this.notes = native.notes
    this.unsupported = native.unsupported
    this.ringBytes = [...native.ringBytes]
  }

  /**
   * Loads and attaches the programs, or takes over the pinned ones of a dead edge, off the event loop. When it resolves,
   * the programs observe.
   * @throws RingsideError CONFIG, NO_PERMISSION, or OS with the verifier's log
   */
  static async open(options: RingOptions): Promise<Ring> {
    const native = toNativeOptions(options)
    const object = options.object ?? join(buildDir, 'ringside.bpf.o')
    if (!existsSync(object)) throw new RingsideError('OS', `${object} does not exist: build it with npm run build`)
    if (!existsSync(kernelTypes)) {
      const message = `this kernel has no BTF at ${kernelTypes}: needs Linux 5.15 or newer with CONFIG_DEBUG_INFO_BTF=y`
      throw new RingsideError('OS', message)
    }
    const hash = createHash('sha256').update(readFileSync(object)).digest()
    try {
      return new Ring(await addon().open({ ...native, object, hash }))
    } catch (error) {
      throw toRingsideError(error)
    }
  }

  /**
   * Copies whole records, as many as fit, without blocking: of the process ring, the security ring and the rest ring, each
   * with at least a quarter of the room, then summaries. The execs before a call are read with it or earlier. The field `advance` of a record is how far it moves the position of
   * its lane.
   * @param into room for at least four of the longest record (65,696 bytes); starts at a multiple of 8
   * @returns bytes written; 0 if there is nothing to read
   */
  read(into: Uint8Array): number {
    if (into.byteLength < 4 * recordMaxBytes) {
      const message = `${into.byteLength} bytes have no room for four records of ${recordMaxBytes}`
      throw new RingsideError('SOFTWARE', message)
    }
    return this.#native.read(into)
  }

  /**
   * Frees the room before a mark; a successor starts there, with this account.
   * @throws RingsideError SOFTWARE for a mark before the released position or after the read position
   */
  release(mark: RingMark, account: RingAccount): void {
    try {
      this.#native.release(toTable(mark, account), account.run)
    } catch (cause) {
      const position = Object.values(mark).join(', ')
      const message = `cannot release up to ${position}: not between the released and the read positions`
      throw new RingsideError('SOFTWARE', message, { cause })
    }
  }

  /** Fraction, 0 to 1, of a ring that holds records read but not released, of the fullest ring. */
  get pressure(): number {
    return this.#native.pressure
  }

  /**
   * Ends the interval of the current counts. When it resolves, their summaries can be read. Waits for the kernel off the
   * event loop.
   * @returns false if nothing happened: earlier summaries are not released, or no call is counted
   */
  summarize(): Promise<boolean> {
    return this.#native.summarize()
  }

  /** The processes with the most limited calls in the last summaries, the largest first; empty once they are released. */
  limited(): readonly LimitedCalls[] {
    return this.#native.limited()
  }

  /** Replaces the filter. A call in progress may still be handled by the old filter. */
  setFilter(filter: RingFilter): void {
    const { pids, comms, cgroups } = toNativeFilter(filter)
    try {
      this.#native.setFilter(pids, comms, cgroups)
    } catch (error) {
      throw toRingsideError(error)
    }
  }

  /** @param modeOf as in RingOptions */
  setModes(modeOf: Uint8Array): void {
    requireCallTable('modeOf', modeOf)
    this.#native.setModes(modeOf)
  }

  /** @param perSecond as RingOptions.processEvents */
  setProcessEvents(perSecond: number): void {
    requireProcessEvents(perSecond)
    this.#native.setProcessEvents(perSecond)
  }

  /**
   * Adds the stack to emitted calls of one program of a process.
   * @param startNs and execId: as in its records
   * @returns false if all slots of its set belong to live processes
   */
  markGo(pid: number, startNs: bigint, execId: number): boolean {
    return this.#native.markGo(pid, startNs, execId)
  }

  unmarkGo(pid: number, startNs: bigint, execId: number): void {
    this.#native.unmarkGo(pid, startNs, execId)
  }

  /** Counts since the programs were first loaded, from mapped memory; `skipped` is asked for at most once a second. */
  statistics(): RingStatistics {
    return toRingStatistics(this.#native.statistics())
  }

  /** Run time of the programs on all CPUs, in nanoseconds; undefined unless it is measured. */
  programTimeNs(): number | undefined {
    try {
      return this.#native.programTimeNs()
    } catch (error) {
      throw toRingsideError(error)
    }
  }

  /** Stops the programs. When it resolves, the unread records and counts are the last. */
  async detach(): Promise<void> {
    await this.#native.detach()
  }

  /** Detached, and everything was read. The last summaries can be read once the earlier ones are released. */
  get ended(): boolean {
    return this.#native.ended
  }

  /** Closes rings and programs. After detach, also removes the pins: unread records are then lost. */
  close(): void {
    try {
      this.#native.close()
    } catch (error) {
      throw toRingsideError(error)
    }
  }
}
