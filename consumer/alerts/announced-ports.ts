// The ports of one host on which a listen was seen, and the processes that may have inherited a listening socket from before
// the observation began. The observation begins with the first batch, and anew after each gap in the stream.
import { isInet } from '../../wire/socket-names.ts'
import type { Event, EventBatch, Process, Socket } from '../../wire/types.ts'

/** A process may start this much after the clock of the batch that mentions it first; batches close every 100 ms. */
const marginUs = 1_000_000
/** Bound on processes and on ports, 16 bytes each plus the Map's overhead; a host has some thousands at most. */
const maxKnown = 65_536

const listeningSyscalls: ReadonlySet<string> = new Set(['listen', 'accept', 'accept4'])

/** A process runs the program of an older process that forked it, or one that it executed itself. */
type Program = 'inherited' | 'own'

/** The outcome of a request to io_uring is unknown, but who requests an accept on a port has a socket that listens on it. */
const mayHaveSucceeded = ({ kind, ret }: Event): boolean => kind === 'io_uring' || ret >= 0

const processKey = ({ pid, start_us }: Process): string => `${pid} ${start_us}`
/** The process that made it, which is not its parent after clone(CLONE_PARENT). */
const creatorKey = ({ creator_pid, creator_start_us }: Process): string => `${creator_pid} ${creator_start_us}`

const portKey = ({ netns, local_port }: Socket): number => netns * 65_536 + local_port

export class AnnouncedPorts {
  #boot = ''
  #run = ''
  #batch = 0
  /** CLOCK_MONOTONIC at the beginning of the observation. */
  #sinceUs = 0
  /** Lower bound of CLOCK_BOOTTIME - CLOCK_MONOTONIC: the time that the host was suspended. */
  #suspendedUs = 0
  readonly #announced = new Set<number>()
  /** Ports announced before a restart of the service, in any network namespace. */
  readonly #restored: Set<number>
  /** Programs of the processes that started during the observation, by pid and start: pids are reused. */
  readonly #programs = new Map<string, Program>()

  constructor(restoredPorts: readonly number[]) {
    this.#restored = new Set(restoredPorts)
  }

  /** The port numbers, to restore them after a restart. */
  get numbers(): number[] {
    return [...new Set([...this.#restored, ...[...this.#announced].map((key) => key % 65_536)])].sort((a, b) => a - b)
  }

  /** Call it before the events of a batch. */
  begin({ boot, run, batch, continues, clock, drops, processes }: EventBatch): void {
    if (boot !== this.#boot) {
      this.#announced.clear()
      this.#suspendedUs = 0
    }
    for (const process of processes) {
      this.#suspendedUs = Math.max(this.#suspendedUs, process.start_us - clock.monotonic_us)
    }
    const hasDrops = drops.some((drop) => drop.class === 'network' || drop.class === 'process')
    const follows =
      run === this.#run
        ? batch === this.#batch + 1
        : continues !== null && continues.run === this.#run && continues.batch <= this.#batch
    if (!follows || hasDrops) this.#beginObservation(clock.monotonic_us)
    this.#boot = boot
    this.#run = run
    this.#batch = batch
  }

  /** Learns from an event. Call it before rules judge the event. */
  see(event: Event, process: Process, socket: Socket | undefined): void {
    switch (event.kind) {
      case 'fork':
        this.#setProgram(process, this.#programs.get(creatorKey(process)) === 'own' ? 'own' : 'inherited')
        break
      case 'exec':
        this.#setProgram(process, 'own')
        break
      case 'exit':
        this.#programs.delete(processKey(process))
        break
      case 'syscall':
      case 'io_uring':
        if (listeningSyscalls.has(event.syscall)) this.#seeListener(event, process, socket)
    }
  }

  /** True when the local port of a socket was announced, or when this cannot be known. */
  isAnnounced(process: Process, socket: Socket | undefined): boolean {
    if (socket === undefined || !isInet(socket.family)) return true
    return this.#announced.has(portKey(socket)) || this.#restored.has(socket.local_port) || this.#mayInherit(process)
  }

  #seeListener(event: Event, process: Process, socket: Socket | undefined): void {
    if (!mayHaveSucceeded(event) || socket === undefined || !isInet(socket.family)) return
    // An accept announces the port if the listen may have been before the observation.
    if (event.syscall === 'listen' || this.#mayInherit(process)) this.#announce(socket)
  }

  #mayInherit(process: Process): boolean {
    const isOlder = process.start_us <= this.#sinceUs + this.#suspendedUs + marginUs
    return isOlder || this.#programs.get(processKey(process)) === 'inherited'
  }

  #announce(socket: Socket): void {
    if (this.#announced.size === maxKnown) this.#announced.clear()
    this.#announced.add(portKey(socket))
  }

  #setProgram(process: Process, program: Program): void {
    if (this.#programs.size === maxKnown) this.#programs.clear()
    this.#programs.set(processKey(process), program)
  }

  #beginObservation(monotonicUs: number): void {
    this.#sinceUs = monotonicUs
    this.#programs.clear()
  }
}
