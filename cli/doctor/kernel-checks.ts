// Checks that this machine can be observed: kernel, BTF, privileges, a real load and attach of the programs, and the user
// that the edge then becomes.
import { release } from 'node:os'
import type { Config } from '../../runtime/config.ts'
import { messageOf } from '../../runtime/errors.ts'
import {
  capabilitiesOf,
  type Lack,
  lacksForLiveKernel,
  mayMeasurePrograms,
  readKernelFacts,
  suspectsOf
} from '../live-kernel.ts'
import { type Check, type Finding, fail, ok, warn } from './check.ts'
import { pinCheck } from './pin-check.ts'

/** BPF_PROG_TYPE_SYSCALL, the newest feature of the programs; task storage for tracing programs is of 5.13. */
const oldestPossible = [5, 14] as const
/** The oldest kernel that the tests of the programs were run on. */
const oldestTested = [5, 15] as const

const isAtLeast = (kernelRelease: string, [major, minor]: readonly [number, number]): boolean => {
  const [itsMajor = 0, itsMinor = 0] = kernelRelease.split('.').map((part) => Number.parseInt(part, 10))
  return itsMajor > major || (itsMajor === major && itsMinor >= minor)
}

/** @param kernelRelease such as "6.18.44-arch1" */
export const kernelFinding = (kernelRelease: string): Finding => {
  const remedy = `boot Linux ${oldestTested.join('.')} or newer`
  if (!isAtLeast(kernelRelease, oldestPossible))
    return fail(`${kernelRelease}: the programs need Linux ${oldestPossible.join('.')}`, remedy)
  if (!isAtLeast(kernelRelease, oldestTested))
    return warn(`${kernelRelease}: the programs were not tested on kernels before ${oldestTested.join('.')}`, remedy)
  return ok(kernelRelease)
}

const lackOf = (kind: Lack['kind'], fine: string): Finding => {
  const lack = lacksForLiveKernel().find((candidate) => candidate.kind === kind)
  return lack === undefined ? ok(fine) : fail(lack.missing, lack.remedy)
}

/** @param notes what this kernel cannot show, one sentence each */
export const programsFinding = (detail: string, notes: readonly string[]): Finding =>
  notes.length === 0 ? ok(detail) : warn([detail, ...notes].join('; '), 'boot a newer kernel to observe these, too')

const loadPrograms = async (config: Config): Promise<Finding> => {
  const lacks = lacksForLiveKernel()
  if (lacks.length > 0) return fail('not loaded: see btf and privileges above')
  const startedMs = performance.now()
  try {
    const { openLiveSource } = await import('../../producer/source/live-source.ts')
    const sizes = { processRingBytes: 1 << 20, securityRingBytes: 1 << 20, ringBytes: 1 << 20 }
    const source = await openLiveSource({ ...config.edge, ...sizes, ignoreFamily: false, pinDir: '' })
    const { description, notes } = source
    await source.detach()
    source.close()
    const ms = (performance.now() - startedMs).toFixed(0)
    return programsFinding(`loaded and attached in ${ms} ms: ${description}`, notes)
  } catch (error) {
    const suspects = suspectsOf(readKernelFacts())
    return fail(messageOf(error), suspects.length > 0 ? suspects.join('; ') : undefined)
  }
}

const edgeUser = async ({ edge: { user, go } }: Config): Promise<Finding> => {
  if (user === '') return warn('the edge keeps its privileges', 'set edge.user: once attached, the edge needs no root')
  const { preparePrivilegeDrop } = await import('../../producer/privileges.ts')
  preparePrivilegeDrop(user, go.functions)
  const becomes = process.geteuid?.() === 0 ? `the edge becomes ${user}` : 'the edge stays this user'
  const drops = go.functions ? 'drops all capabilities except CAP_SYS_PTRACE' : 'drops all capabilities'
  return ok(`${becomes} and ${drops}`)
}

const cpuBudget = ({ edge: { cpuBudget: budget } }: Config): Finding => {
  const measured = mayMeasurePrograms(capabilitiesOf(readKernelFacts().status))
  const scope = measured
    ? 'the edge process and its programs'
    : 'the edge process only: measuring programs needs CAP_SYS_ADMIN'
  if (budget === undefined) return ok(`none; it would cover ${scope}`)
  const detail = `${budget}% of a core for ${scope}`
  return measured
    ? ok(detail)
    : warn(detail, 'start the edge as root, or with CAP_SYS_ADMIN, to measure the programs, too')
}

export const kernelChecks = (config: Config): Check[] => [
  { name: 'kernel', run: () => kernelFinding(release()) },
  { name: 'btf', run: () => lackOf('btf', 'the kernel has BTF') },
  { name: 'privileges', run: () => lackOf('privileges', 'CAP_BPF and CAP_PERFMON') },
  { name: 'programs', run: () => loadPrograms(config) },
  pinCheck(config),
  { name: 'edge user', run: () => edgeUser(config) },
  { name: 'cpu budget', run: () => cpuBudget(config) }
]
