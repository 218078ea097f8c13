// What reading the live kernel needs, found out without loading anything.
import { existsSync, readFileSync } from 'node:fs'

const btfPath = '/sys/kernel/btf/vmlinux'
const lockdownPath = '/sys/kernel/security/lockdown'

// include/uapi/linux/capability.h
const capSysAdmin = 21n
const capPerfmon = 38n
const capBpf = 39n

/** What the kernel tells of itself and of this process. */
export interface KernelFacts {
  readonly hasBtf: boolean
  /** /proc/self/status */
  readonly status: string
  /** /proc/self/uid_map */
  readonly uidMap: string
  /** The lockdown file of securityfs; '' where there is none. */
  readonly lockdown: string
  readonly inContainer: boolean
}

export interface Lack {
  readonly what: 'btf' | 'privileges'
  /** What is missing, for a person. */
  readonly missing: string
  readonly remedy: string
}

/** The effective set in a process's status, hexadecimal. */
export const capabilitiesOf = (status: string): string => /^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'

/** Of what loads the programs, what is not in an effective set (the CapEff line of proc_pid_status(5), hexadecimal). */
const missingCapabilities = (capEff: string): string[] => {
  const set = BigInt(`0x${capEff}`)
  const has = (bit: bigint): boolean => (set & (1n << bit)) !== 0n
  if (has(capSysAdmin)) return []
  return [...(has(capBpf) ? [] : ['CAP_BPF']), ...(has(capPerfmon) ? [] : ['CAP_PERFMON'])]
}

/** Whether an effective capability set may load the programs. */
export const mayLoadPrograms = (capEff: string): boolean => missingCapabilities(capEff).length === 0

/** Whether the kernel measures programs for this process (BPF_ENABLE_STATS), by its effective capability set. */
export const mayMeasurePrograms = (capEff: string): boolean => (BigInt(`0x${capEff}`) & (1n << capSysAdmin)) !== 0n

/** The map of the first user namespace (user_namespaces(7)); capabilities of any other do not count for bpf(2). */
const inFirstUserNamespace = (uidMap: string): boolean => /^\s*0\s+0\s+4294967295\s*$/.test(uidMap)

const containerFlags = '--pid=host --cap-add BPF --cap-add PERFMON --cap-add SYS_PTRACE'

const privilegesRemedy = ({ inContainer }: KernelFacts): string =>
  inContainer
    ? `run as root in a container started with ${containerFlags}; or read a recording with --source FILE`
    : 'run as root (sudo), or without root as a service: deploy/systemd/ringside-edge.service; ' +
      'or read a recording with --source FILE. (setcap on node would give this to every script of every user)'

/** What these facts lack for certain; empty when nothing is known to be missing. */
export const lacksOf = (facts: KernelFacts): Lack[] => {
  const lacks: Lack[] = []
  if (!facts.hasBtf) {
    lacks.push({
      what: 'btf',
      missing: `the kernel has no type information (${btfPath})`,
      remedy: 'boot a kernel with CONFIG_DEBUG_INFO_BTF=y, 5.11 or newer; in a container, see that /sys is mounted'
    })
  }
  const missing = missingCapabilities(capabilitiesOf(facts.status))
  if (missing.length > 0) {
    const are = missing.length === 1 ? 'is' : 'are'
    lacks.push({
      what: 'privileges',
      missing: `${missing.join(' and ')} ${are} missing`,
      remedy: privilegesRemedy(facts)
    })
  } else if (!inFirstUserNamespace(facts.uidMap)) {
    lacks.push({
      what: 'privileges',
      missing: 'this is a user namespace: its root and its capabilities may not load programs',
      remedy: 'run outside of it: no rootless container, no --userns-remap, no PrivateUsers= in a systemd unit'
    })
  }
  return lacks
}

/** What may be in the way of a process that lacks nothing and is refused all the same, each with what to do. */
export const suspectsOf = ({ status, lockdown }: KernelFacts): string[] => {
  const suspects: string[] = []
  if (lockdown.includes('[confidentiality]')) {
    suspects.push('the kernel is locked down, and no program may read it: boot with lockdown=integrity, or none')
  }
  if (/^Seccomp:\s*2$/m.test(status)) {
    suspects.push(
      'a seccomp filter holds this process and may refuse bpf(2): allow it, in a container with ' +
        `${containerFlags} and a profile that knows bpf (--security-opt seccomp=FILE)`
    )
  }
  return suspects
}

const readOr = (path: string, otherwise: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return otherwise
  }
}

export const readKernelFacts = (): KernelFacts => ({
  hasBtf: existsSync(btfPath),
  status: readFileSync('/proc/self/status', 'utf8'),
  uidMap: readOr('/proc/self/uid_map', '0 0 4294967295'),
  lockdown: readOr(lockdownPath, ''),
  inContainer: existsSync('/.dockerenv') || existsSync('/run/.containerenv')
})

/** What is missing before the edge could read this kernel; empty when nothing is known to be. */
export const lacksForLiveKernel = (): Lack[] => lacksOf(readKernelFacts())
