// Whether this machine can be observed: the kernel, its type information, the privileges, whether the
// programs really load and attach, and whom the edge then becomes.
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

// Task local storage for tracing programs, the newest of what the programs need.
const oldestKernel = [5, 11] as const

/** Whether a kernel release such as "6.18.44-arch1" is 5.11 or newer. */
export const isRecentEnough = (kernelRelease: string): boolean => {
  const [major = 0, minor = 0] = kernelRelease.split('.').map((part) => Number.parseInt(part, 10))
  return major > oldestKernel[0] || (major === oldestKernel[0] && minor >= oldestKernel[1])
}

const lackOf = (what: Lack['what'], fine: string): Finding => {
  const lack = lacksForLiveKernel().find((candidate) => candidate.what === what)
  return lack === undefined ? ok(fine) : fail(lack.missing, lack.remedy)
}

const loadPrograms = async (config: Config): Promise<Finding> => {
  const lacks = lacksForLiveKernel()
  if (lacks.length > 0) return fail('not tried: see above')
  const startedMs = performance.now()
  try {
    const { openLiveSource } = await import('../../producer/source/live-source.ts')
    const sizes = { securityRingBytes: 1 << 20, ringBytes: 1 << 20 }
    const source = await openLiveSource({ ...config.edge, ...sizes, ignoreFamily: false, pinDir: '' })
    const description = source.description
    await source.detach()
    source.close()
    return ok(`loaded and attached in ${(performance.now() - startedMs).toFixed(0)} ms: ${description}`)
  } catch (error) {
    const suspects = suspectsOf(readKernelFacts())
    return fail(messageOf(error), suspects.length > 0 ? suspects.join('; ') : undefined)
  }
}

const edgeUser = async ({ edge: { user, go } }: Config): Promise<Finding> => {
  if (user === '')
    return warn('the edge stays what it is started as', 'name a user in edge.user: the edge needs no root')
  const { preparePrivilegeDrop } = await import('../../producer/privileges.ts')
  preparePrivilegeDrop(user, go.functions)
  const becomes = process.geteuid?.() === 0 ? `the edge becomes ${user}` : 'the edge stays this user'
  const drops = go.functions ? 'drops its capabilities but CAP_SYS_PTRACE' : 'drops its capabilities'
  return ok(`${becomes} and ${drops}`)
}

const cpuBudget = ({ edge: { cpuBudget: budget } }: Config): Finding => {
  const measured = mayMeasurePrograms(capabilitiesOf(readKernelFacts().status))
  const of = measured
    ? 'of the edge and its programs'
    : 'of the process alone, for the run time of programs is told to CAP_SYS_ADMIN only'
  if (budget === undefined) return ok(`none; it would be ${of}`)
  if (measured) return ok(`${budget}% of a core, ${of}`)
  return warn(
    `${budget}% of a core, ${of}`,
    'to measure the programs too, start the edge with CAP_SYS_ADMIN, as root has'
  )
}

export const kernelChecks = (config: Config): Check[] => [
  {
    name: 'kernel',
    look: () =>
      isRecentEnough(release()) ? ok(release()) : fail(release(), `boot Linux ${oldestKernel.join('.')} or newer`)
  },
  { name: 'btf', look: () => lackOf('btf', 'the kernel has type information') },
  { name: 'privileges', look: () => lackOf('privileges', 'CAP_BPF and CAP_PERFMON') },
  { name: 'programs', look: () => loadPrograms(config) },
  pinCheck(config),
  { name: 'edge user', look: () => edgeUser(config) },
  { name: 'cpu budget', look: () => cpuBudget(config) }
]
