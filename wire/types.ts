// TypeScript types of the records in schemas/, whose docs describe each field. After decoding with avsc, long and int are
// numbers (all below 2^53), bytes are Buffers, and a union with null is the value or null.
import type { EventClass, RecordKind } from '../bpf/event.ts'

export type { EventClass }
export type DropReason = 'other' | 'ring_full' | 'backlog_full' | 'spool_full'
/** A summary is a record of the rings, and no event. */
export type EventKind = Exclude<RecordKind, 'summary'>

export interface Clock {
  monotonic_us: number
  wall_us: number
}

export interface SequenceRange {
  cpu: number
  first: number
  last: number
}

export interface Drop {
  class: EventClass
  reason: DropReason
  count: number
}

export interface Process {
  pid: number
  start_us: number
  ppid: number
  uid: number
  comm: string
  exe: string | null
  container_id: string | null
  cgroup_id: number
  euid: number
  creator_pid: number
  creator_start_us: number
}

export interface Socket {
  family: number
  type: number
  protocol: number
  netns: number
  local_address: Buffer
  local_port: number
  remote_address: Buffer
  remote_port: number
}

export interface Stack {
  go_function: string | null
  go_file: string | null
  go_line: number
}

export interface Event {
  kind: EventKind
  /** A symbol of the Syscall enum in event_batch.avsc. */
  syscall: string
  process: number
  socket: number
  cpu: number
  seq: number
  time_offset_ns: number
  duration_ns: number
  tid: number
  ret: number
  fd: number
  path: string | null
  path_truncated: boolean
  call: string | null
  path_to: string | null
  arg: number
  target_pid: number
  stack: number
  path_opened: boolean
  path_given: string | null
  address_given: boolean
  argument_changed: boolean
  call_cpu: number
  call_seq: number
  path_deleted: boolean
  entered: boolean
  bytes: number
  messages: number
  target_given: number
  resolve: number
  registered_file: number
}

/** `index` is a bucket of wire/log-linear.ts; in the `errnos` of a summary it is the error number. */
export interface Bucket {
  index: number
  count: number
}

export interface Summary {
  process: number
  syscall: string
  call: string | null
  class: EventClass
  seq: number
  time_offset_ns: number
  duration_ns: number
  count: number
  errors: number
  total_ns: number
  bytes: number
  latency: Bucket[]
  sizes: Bucket[]
  errnos: Bucket[]
  limited: number
  uncounted: number
}

export interface Predecessor {
  run: string
  batch: number
}

export interface LedgerClass {
  class: EventClass
  off: number
  counted: number
  emitted: number
  dropped: number
  published: number
  spooled: number
}

export interface Step {
  class: EventClass
  mode: string
  reason: string
  monotonic_us: number
}

export interface BoundStep {
  process_events: number
  mode: string
  reason: string
  monotonic_us: number
}

export interface LimitedProcess {
  pid: number
  start_us: number
  comm: string
  call: string
  count: number
}

export interface Ledger {
  monotonic_us: number
  untracked: number
  uncounted: number
  classes: LedgerClass[]
  steps: Step[]
  limited: number
  process_events: number
  bound_steps: BoundStep[]
  limited_processes: LimitedProcess[]
  cpu_process_us: number
  cpu_programs_us: number
}

export interface EventBatch {
  host: string
  boot: string
  agent: string
  run: string
  batch: number
  continues: Predecessor | null
  final: boolean
  clock: Clock
  counted_until_us: number
  sequences: SequenceRange[]
  drops: Drop[]
  processes: Process[]
  sockets: Socket[]
  stacks: Stack[]
  events: Event[]
  summaries: Summary[]
  ledger: Ledger | null
}

export type RollupKey = 'process' | 'workload' | 'go_function'

export interface ErrnoCount {
  /** Its name, as ENOENT. */
  errno: string
  count: number
}

export interface Rollup {
  host: string
  workload: string
  pid: number
  start_us: number
  comm: string
  exe: string | null
  container_id: string | null
  syscall: string
  /** Microseconds since the epoch. */
  window_start: number
  window_ms: number
  revision: number
  count: number
  failed: number
  expected: number
  interrupted: number
  bytes: number
  total_ns: number
  p50_ns: number
  p95_ns: number
  p99_ns: number
  max_ns: number
  by: RollupKey
  go_function: string | null
  other: boolean
  complete: boolean
  /** Calls a second. */
  rate: number
  rate_ewma: number
  p90_ns: number
  p999_ns: number
  latency: Bucket[]
  errnos: ErrnoCount[]
}

export interface HostStatus {
  host: string
  boot: string
  run: string
  agent: string
  /** Microseconds since the epoch. */
  window_start: number
  window_ms: number
  watermark: number
  read: number
  final: boolean
  events: number
  counted: number
  late: number
  outside: number
  rows: number
  others: number
  drops: Drop[]
  classes: LedgerClass[]
  steps: Step[]
  process_events: number
  bound_steps: BoundStep[]
  limited_processes: LimitedProcess[]
}

export type Severity = 'notice' | 'warning' | 'critical'

export interface Reason {
  condition: string
  value: string
  threshold: string
}

export interface EventId {
  host: string
  boot: string
  cpu: number
  seq: number
}

export interface Alert {
  id: string
  revision: number
  rule: string
  rule_version: number
  title: string
  attack: string | null
  severity: Severity
  host: string
  entity: string
  workload: string
  exe: string | null
  comm: string
  pid: number
  /** Microseconds since the epoch. */
  first_seen: number
  last_seen: number
  count: number
  explanation: string
  reasons: Reason[]
  evidence: EventId[]
  lost_events: number
}

export interface AuditRecord {
  /** Microseconds since the epoch. */
  time: number
  time_ns: number
  host: string
  boot: string
  cpu: number
  seq: number
  kind: string
  syscall: string | null
  pid: number
  tid: number
  ppid: number
  start_us: number
  comm: string
  exe: string | null
  uid: number
  container_id: string | null
  /** null: a request to io_uring. */
  ret: number | null
  errno: string | null
  duration_ns: number
  fd: number | null
  bytes: number | null
  path: string | null
  family: string | null
  protocol: string | null
  local_address: string | null
  local_port: number | null
  remote_address: string | null
  remote_port: number | null
  netns: number | null
  path_to: string | null
  arg: number | null
  target_pid: number | null
  go_function: string | null
  go_file: string | null
  go_line: number | null
  verdict: string
  euid: number | null
  path_truncated: boolean
  path_opened: boolean
  path_given: string | null
  address_given: boolean
  argument_changed: boolean
  call_cpu: number | null
  call_seq: number | null
  creator_pid: number | null
  creator_start_us: number | null
  path_deleted: boolean
  socket_type: string | null
  entered: boolean
  messages: number | null
  target_given: number | null
  resolve: number | null
  registered_file: number | null
}
