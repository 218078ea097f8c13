// Checks what the live kernel needs (BTF, capabilities, the initial user namespace), without loading a program.
import { existsSync, readFileSync } from 'node:fs'

const btfPath = '/sys/kernel/btf/vmlinux'
const lockdownPath = '/sys/kernel/security/lockdown'

// include/uapi/linux/capability.h
const capSysAdmin = 21n
const capPerfmon = 38n
const capBpf = 39n

/** Files of /proc and /sys that the checks read. */
export interface KernelFacts {
  readonly hasBtf: boolean
  /** /proc/self/status */
  readonly status: string
  /** /proc/self/uid_map */
  readonly uidMap: string
  /** The lockdown file of securityfs; '' without one. */
  readonly lockdown: string
  readonly inContainer: boolean
}

export interface Lack {
  readonly kind: 'btf' | 'privileges'
  /** For people. */
  readonly missing: string
  readonly remedy: string
}

/** The effective capability set in /proc/PID/status, hexadecimal. */
export const capabilitiesOf = (status: string): string => /^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'

/** The capabilities for loading programs that an effective set lacks. */
const missingCapabilities = (capEff: string): string[] => {
  const set = BigInt(`0x${capEff}`)
  const has = (bit: bigint): boolean => (set & (1n << bit)) !== 0n
  if (has(capSysAdmin)) return []
  return [...(has(capBpf) ? [] : ['CAP_BPF']), ...(has(capPerfmon) ? [] : ['CAP_PERFMON'])]
}

/** @param capEff an effective capability set, hexadecimal */
export const mayLoadPrograms = (capEff: string): boolean => missingCapabilities(capEff).length === 0

/** BPF_ENABLE_STATS, the measuring of programs, needs CAP_SYS_ADMIN. */
export const mayMeasurePrograms = (capEff: string): boolean => (BigInt(`0x${capEff}`) & (1n << capSysAdmin)) !== 0n

/** bpf(2) accepts capabilities of the initial user namespace only (user_namespaces(7)). */
const inInitialUserNamespace = (uidMap: string): boolean => /^\s*0\s+0\s+4294967295\s*$/.test(uidMap)

const containerFlags = '--pid=host --cap-add BPF --cap-add PERFMON --cap-add SYS_PTRACE'

const privilegesRemedy = ({ inContainer }: KernelFacts): string =>
  inContainer
    ? `run as root in a container started with ${containerFlags}; or read a recording with --source FILE`
    : 'run as root (sudo), or as a service without root: deploy/systemd/ringside-edge.service; ' +
      'or read a recording with --source FILE. Do not use setcap on node: every script of every user would get the capabilities'

/** What is certainly missing. */
export const lacksOf = (facts: KernelFacts): Lack[] => {
  const lacks: Lack[] = []
  if (!facts.hasBtf) {
    lacks.push({
      kind: 'btf',
      missing: `the kernel has no BTF (${btfPath})`,
      remedy: 'boot a kernel with CONFIG_DEBUG_INFO_BTF=y, Linux 5.15 or newer; in a container, mount /sys'
    })
  }
  const missing = missingCapabilities(capabilitiesOf(facts.status))
  if (missing.length > 0) {
    const are = missing.length === 1 ? 'is' : 'are'
    lacks.push({
      kind: 'privileges',
      missing: `${missing.join(' and ')} ${are} missing`,
      remedy: privilegesRemedy(facts)
    })
  } else if (!inInitialUserNamespace(facts.uidMap)) {
    lacks.push({
      kind: 'privileges',
      missing: 'this process is in a user namespace: its root and capabilities may not load programs',
      remedy: 'run outside of it: without a rootless container, --userns-remap, or PrivateUsers= in a systemd unit'
    })
  }
  return lacks
}

/** Possible causes of a refusal although nothing is missing, each with the fix. */
export const suspectsOf = ({ status, lockdown }: KernelFacts): string[] => {
  const suspects: string[] = []
  if (lockdown.includes('[confidentiality]')) {
    suspects.push(
      'kernel lockdown (confidentiality) forbids programs to read kernel memory: boot with lockdown=integrity or none'
    )
  }
  if (/^Seccomp:\s*2$/m.test(status)) {
    suspects.push(
      'a seccomp filter of this process may refuse bpf(2): allow it; in a container, start with ' +
        `${containerFlags} and a profile that allows bpf (--security-opt seccomp=FILE)`
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

/** What is certainly missing on this machine. */
export const lacksForLiveKernel = (): Lack[] => lacksOf(readKernelFacts())
