// Checks what a service reads at its start, before anything is started: rules, modes of calls, filters, user, recording.
import type { Config } from '../../runtime/config.ts'
import { messageOf, RingsideError } from '../../runtime/errors.ts'
import type { EdgeSource } from './edge-service.ts'

type From = Pick<EdgeSource, 'source'>

const checkEdge = async ({ edge }: Config, { source }: From): Promise<(() => void)[]> => {
  if (source !== undefined) {
    const { openRecording } = await import('../../producer/source/recording.ts')
    return [() => openRecording(source).close()]
  }
  const { modeTable } = await import('../../producer/source/call-tables.ts')
  const { checkFilter } = await import('../../producer/source/live-source.ts')
  const { futureUser } = await import('../../producer/privileges.ts')
  return [() => modeTable(edge.calls), () => checkFilter(edge), () => futureUser(edge.user)]
}

const checksOf = async (target: string, config: Config, from: From): Promise<(() => void)[]> => {
  if (target === 'edge') return checkEdge(config, from)
  if (target !== 'alerts') return []
  const { loadRules } = await import('../../consumer/alerts/load-rules.ts')
  return [() => loadRules(config.alerts.rulesDir)]
}

/**
 * @param targets services; handlers have nothing to check
 * @throws RingsideError with every problem, and the code of the first
 */
export const checkServices = async (targets: readonly string[], config: Config, from: From): Promise<void> => {
  const problems: RingsideError[] = []
  for (const target of targets) {
    for (const check of await checksOf(target, config, from)) {
      try {
        check()
      } catch (error) {
        if (!(error instanceof RingsideError)) throw error
        problems.push(error)
      }
    }
  }
  const [first] = problems
  if (first === undefined) return
  throw problems.length === 1 ? first : new RingsideError(first.code, problems.map(messageOf).join('\n'))
}
