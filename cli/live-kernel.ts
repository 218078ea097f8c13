// What reading the live kernel needs, found out without loading anything.
import { existsSync, readFileSync } from 'node:fs'

const btfPath = '/sys/kernel/btf/vmlinux'

// include/uapi/linux/capability.h
const capSysAdmin = 21n
const capPerfmon = 38n
const capBpf = 39n

export interface Lack {
  readonly what: 'btf' | 'privileges'
  /** What is missing, for a person. */
  readonly missing: string
  readonly remedy: string
}

/** Whether an effective capability set (the CapEff line of proc_pid_status(5), hexadecimal) may load the programs. */
export const mayLoadPrograms = (capEff: string): boolean => {
  const set = BigInt(`0x${capEff}`)
  const has = (bit: bigint): boolean => (set & (1n << bit)) !== 0n
  return has(capSysAdmin) || (has(capBpf) && has(capPerfmon))
}

/** What is missing before the edge could read this kernel; empty when nothing is known to be. */
export const lacksForLiveKernel = (): Lack[] => {
  const lacks: Lack[] = []
  if (!existsSync(btfPath)) {
    lacks.push({
      what: 'btf',
      missing: `the kernel has no type information (${btfPath})`,
      remedy: 'boot a kernel with CONFIG_DEBUG_INFO_BTF=y, 5.11 or newer'
    })
  }
  const capEff = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  if (!mayLoadPrograms(capEff)) {
    lacks.push({
      what: 'privileges',
      missing: 'CAP_BPF and CAP_PERFMON are missing',
      remedy: 'run as root (sudo), or read a recording with --source FILE'
    })
  }
  return lacks
}
