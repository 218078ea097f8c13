// What is known of one host's ports: which were announced by a listen that was seen, and which processes
// may have inherited a listening socket from before that could be seen. After any gap it begins anew.
import { isInet } from '../../wire/address.ts'
import type { Event, EventBatch, Process, Socket } from '../../wire/types.ts'

/** Between the clock of a batch and the start of a process; batches close every 100 ms. */
const marginUs = 1_000_000
/** Processes and ports that are known at once, 16 bytes each and the Map's; a host has at most some thousands. */
const maxKnown = 65_536

/** Whether a process runs the program of one that was there before ('heir') or one it began itself. */
type Image = 'heir' | 'own'

/** Of io_uring no outcome is known; who asks it to accept on a port holds a socket that listens there. */
const mayHaveSucceeded = ({ kind, ret }: Event): boolean => kind === 'io_uring' || (kind === 'syscall' && ret >= 0)

const portKey = ({ netns, local_port }: Socket): number => netns * 65_536 + local_port

export class Observation {
  #boot = ''
  #run = ''
  #batch = 0
  /** CLOCK_MONOTONIC: what began earlier may have done things unseen. */
  #sinceUs = 0
  /** CLOCK_BOOTTIME less CLOCK_MONOTONIC, at least: the time that the host was suspended. */
  #suspendedUs = 0
  readonly #announced = new Set<number>()
  /** Announced before the service was restarted, whatever their network namespace. */
  readonly #restored: Set<number>
  /** Of processes that began since. */
  readonly #images = new Map<number, Image>()

  constructor(restoredPorts: readonly number[]) {
    this.#restored = new Set(restoredPorts)
  }

  /** Ports that were announced, to be restored. */
  get ports(): number[] {
    return [...new Set([...this.#restored, ...[...this.#announced].map((key) => key % 65_536)])].sort((a, b) => a - b)
  }

  /** Before the events of a batch. */
  begin({ boot, run, batch, continues, clock, drops, processes }: EventBatch): void {
    if (boot !== this.#boot) {
      this.#announced.clear()
      this.#suspendedUs = 0
    }
    for (const process of processes) {
      this.#suspendedUs = Math.max(this.#suspendedUs, process.start_us - clock.monotonic_us)
    }
    const lost = drops.some((drop) => drop.class === 'network' || drop.class === 'process')
    const follows =
      run === this.#run
        ? batch === this.#batch + 1
        : continues !== null && continues.run === this.#run && continues.batch <= this.#batch
    if (!follows || lost) this.#beginAnew(clock.monotonic_us)
    this.#boot = boot
    this.#run = run
    this.#batch = batch
  }

  /** Learns from an event, before rules judge it. */
  see(event: Event, process: Process, socket: Socket | undefined): void {
    if (event.kind === 'fork') {
      this.#know(process.pid, this.#images.get(process.ppid) === 'own' ? 'own' : 'heir')
    } else if (event.kind === 'exec') {
      this.#know(process.pid, 'own')
    } else if (event.kind === 'exit') {
      this.#images.delete(process.pid)
    } else if (mayHaveSucceeded(event) && socket !== undefined && isInet(socket.family)) {
      // Who was there before the observation listened before it.
      if (event.syscall === 'listen' || this.#mayInherit(process)) this.#announce(socket)
    }
  }

  /** Whether the local port of a socket was announced, or it cannot be known. */
  isAnnounced(process: Process, socket: Socket | undefined): boolean {
    if (socket === undefined || !isInet(socket.family)) return true
    return this.#announced.has(portKey(socket)) || this.#restored.has(socket.local_port) || this.#mayInherit(process)
  }

  #mayInherit({ pid, start_us }: Process): boolean {
    return start_us <= this.#sinceUs + this.#suspendedUs + marginUs || this.#images.get(pid) === 'heir'
  }

  #announce(socket: Socket): void {
    if (this.#announced.size === maxKnown) this.#announced.clear()
    this.#announced.add(portKey(socket))
  }

  #know(pid: number, image: Image): void {
    if (this.#images.size === maxKnown) this.#images.clear()
    this.#images.set(pid, image)
  }

  #beginAnew(monotonicUs: number): void {
    this.#sinceUs = monotonicUs
    this.#images.clear()
  }
}
