// The fields of an event in the conditions of rules. Each has a type, so that a mistake in a condition is found when the
// rule is loaded. A text that does not apply is '', a number -1. `ret` has the bytes moved: `bytes` is a type in CEL.
import { Environment } from '@marcbachmann/cel-js'
import { addressText } from '../../wire/address.ts'
import { flagNames, requestName } from '../../wire/argument-names.ts'
import { eventErrno, eventRet } from '../../wire/audit-record.ts'
import { familyName, isInet, protocolName, socketTypeName } from '../../wire/socket-names.ts'
import type { Event, EventBatch, Process, Socket } from '../../wire/types.ts'
import { verdictOfEvent } from '../../wire/verdict.ts'
import { workloadOf } from '../../wire/workload.ts'
import { isExternal } from './networks.ts'

const types = {
  kind: 'string',
  syscall: 'string',
  host: 'string',
  pid: 'int',
  tid: 'int',
  ppid: 'int',
  uid: 'int',
  euid: 'int',
  comm: 'string',
  exe: 'string',
  container_id: 'string',
  workload: 'string',
  ret: 'int',
  messages: 'int',
  errno: 'string',
  verdict: 'string',
  duration_ns: 'int',
  fd: 'int',
  path: 'string',
  path_to: 'string',
  path_given: 'string',
  path_opened: 'bool',
  path_truncated: 'bool',
  path_deleted: 'bool',
  flags: 'string',
  request: 'string',
  target_pid: 'int',
  family: 'string',
  socket_type: 'string',
  protocol: 'string',
  local_address: 'string',
  local_port: 'int',
  remote_address: 'string',
  remote_port: 'int',
  external: 'bool',
  address_given: 'bool',
  argument_changed: 'bool',
  netns: 'int',
  call_known: 'bool',
  announced: 'bool'
} as const

export type Field = keyof typeof types
export const fields = Object.keys(types) as readonly Field[]

/** The environment of conditions: it has the fields and no other variable. */
export const conditionEnvironment = (): Environment => {
  const environment = new Environment()
  for (const field of fields) environment.registerVariable(field, types[field])
  return environment
}

interface Endpoints {
  readonly local: string
  readonly remote: string
  readonly external: boolean
}

/** One object for all events: set() selects the event. Integers are BigInts, as CEL requires for int. */
export class Subject {
  #batch!: EventBatch
  #event!: Event
  #process!: Process
  #socket: Socket | undefined
  #announced = (): boolean => true
  /** By index of the batch's sockets: many events share a socket. */
  #endpoints: (Endpoints | undefined)[] = []

  /** @param announced computes the field of that name, only for rules that use it */
  begin(batch: EventBatch, announced: (process: Process, socket: Socket | undefined) => boolean): void {
    this.#batch = batch
    this.#endpoints = []
    this.#announced = () => announced(this.#process, this.#socket)
  }

  set(event: Event, process: Process): this {
    this.#event = event
    this.#process = process
    this.#socket = this.#batch.sockets[event.socket]
    return this
  }

  get kind(): string {
    return this.#event.kind
  }
  /** For a request to io_uring, the call that it stands for: `kind` distinguishes the two. */
  get syscall(): string {
    const { kind, call, syscall } = this.#event
    if (kind === 'syscall') return call ?? syscall
    return syscall === 'none' ? '' : syscall
  }
  get host(): string {
    return this.#batch.host
  }
  get pid(): bigint {
    return BigInt(this.#process.pid)
  }
  get tid(): bigint {
    return BigInt(this.#event.tid)
  }
  get ppid(): bigint {
    return BigInt(this.#process.ppid)
  }
  get uid(): bigint {
    return BigInt(this.#process.uid)
  }
  get euid(): bigint {
    return BigInt(this.#process.euid)
  }
  get comm(): string {
    return this.#process.comm
  }
  get exe(): string {
    return this.#process.exe ?? ''
  }
  get container_id(): string {
    return this.#process.container_id ?? ''
  }
  get workload(): string {
    return workloadOf(this.#process)
  }
  get ret(): bigint {
    return BigInt(eventRet(this.#event) ?? -1)
  }
  /** Messages that a call sent or received, 1 for calls of a single one. */
  get messages(): bigint {
    return BigInt(Math.max(this.#event.messages, 1))
  }
  get errno(): string {
    return eventErrno(this.#event.kind, this.#event.ret) ?? ''
  }
  get verdict(): string {
    return verdictOfEvent(this.#event)
  }
  get duration_ns(): bigint {
    return BigInt(this.#event.duration_ns)
  }
  get fd(): bigint {
    return BigInt(this.#event.fd)
  }
  get path(): string {
    return this.#event.path ?? ''
  }
  get path_to(): string {
    return this.#event.path_to ?? ''
  }
  get path_given(): string {
    return this.#event.path_given ?? ''
  }
  get path_opened(): boolean {
    return this.#event.path_opened
  }
  get path_truncated(): boolean {
    return this.#event.path_truncated
  }
  get path_deleted(): boolean {
    return this.#event.path_deleted
  }
  get flags(): string {
    return flagNames(this.#name, this.#event.arg) ?? ''
  }
  get request(): string {
    return requestName(this.#name, this.#event.arg) ?? ''
  }
  get target_pid(): bigint {
    return BigInt(this.#event.target_pid)
  }
  get family(): string {
    return this.#socket === undefined ? '' : familyName(this.#socket.family)
  }
  get socket_type(): string {
    return this.#socket === undefined ? '' : socketTypeName(this.#socket.type)
  }
  get protocol(): string {
    return this.#socket === undefined ? '' : (protocolName(this.#socket.family, this.#socket.protocol) ?? '')
  }
  get local_address(): string {
    return this.#ends.local
  }
  get local_port(): bigint {
    return BigInt(this.#inet?.local_port ?? -1)
  }
  get remote_address(): string {
    return this.#ends.remote
  }
  get remote_port(): bigint {
    return BigInt(this.#inet?.remote_port ?? -1)
  }
  get external(): boolean {
    return this.#ends.external
  }
  get netns(): bigint {
    return BigInt(this.#socket?.netns ?? -1)
  }
  get address_given(): boolean {
    return this.#event.address_given
  }
  get argument_changed(): boolean {
    return this.#event.argument_changed
  }
  /** False for the outcome of a connect whose call is no event of its own or a request to io_uring. */
  get call_known(): boolean {
    return this.#event.kind !== 'connect_outcome' || this.#event.call_seq >= 0
  }
  get announced(): boolean {
    return this.#announced()
  }

  /** A request to io_uring has a name of its own, and another number in arg. */
  get #name(): string {
    return this.#event.call ?? this.#event.syscall
  }

  get #inet(): Socket | undefined {
    return this.#socket !== undefined && isInet(this.#socket.family) ? this.#socket : undefined
  }

  get #ends(): Endpoints {
    const known = this.#endpoints[this.#event.socket]
    if (known !== undefined) return known
    const socket = this.#inet
    if (socket === undefined) return { local: '', remote: '', external: false }
    const remote = addressText(socket.remote_address) ?? ''
    const ends = { local: addressText(socket.local_address) ?? '', remote, external: isExternal(remote) }
    this.#endpoints[this.#event.socket] = ends
    return ends
  }
}
