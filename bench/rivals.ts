// Scripts and prerequisites of the rivals that trace system calls.
import { existsSync } from 'node:fs'
import { isInstalled } from './processes.ts'

export const enter = 'tracepoint:raw_syscalls:sys_enter'
export const exit = 'tracepoint:raw_syscalls:sys_exit'

/** bpftrace: a histogram of how long calls take. */
export const latencyScript = `${enter} { @start[tid] = nsecs; }
  ${exit} /@start[tid]/ { @ns = hist(nsecs - @start[tid]); delete(@start[tid]); }`

const missingTracefs = (who: string): string | undefined =>
  existsSync('/sys/kernel/tracing/events')
    ? undefined
    : `${who} needs tracefs: mount -t tracefs tracefs /sys/kernel/tracing`

export const missingForBpftrace = (): string | undefined =>
  isInstalled('bpftrace') ? missingTracefs('bpftrace') : 'bpftrace is not installed'

export const missingForPerf = (): string | undefined =>
  isInstalled('perf') ? missingTracefs('perf') : 'perf is not installed'
