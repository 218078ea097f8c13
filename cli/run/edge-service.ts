// Starts the edge, from a recording or from the live kernel. The modules of the live kernel are loaded only for it: they
// need the addon.
import { join } from 'node:path'
import type { Reduction } from '../../producer/budget/budget.ts'
import type { Source } from '../../producer/source/source.ts'
import type { Config } from '../../runtime/config.ts'
import type { Log } from '../../runtime/log.ts'
import type { Service } from '../../runtime/service.ts'
import { reportDurability } from '../../wire/durability.ts'
import { topicName } from '../../wire/topics.ts'

export interface EdgeSource {
  /** A recording in place of the live kernel. */
  readonly source: string | undefined
  /** A file that the raw ring is also written to. */
  readonly record: string | undefined
  /** Do not observe the parent process and its children. */
  readonly ignoreFamily: boolean
}

export const startEdgeService = async (config: Config, log: Log, from: EdgeSource): Promise<Service> => {
  const { startEdge } = await import('../../producer/edge.ts')
  const { createRecorder } = await import('../../producer/source/recorder.ts')
  const { openRecording } = await import('../../producer/source/recording.ts')
  const { measureEdge } = await import('../../producer/measured-edge.ts')
  const { createKafkaClient } = await import('../../wire/kafka.ts')
  const client = createKafkaClient({ brokers: config.brokers, clientId: 'ringside-edge', log })
  const report = () =>
    void reportDurability({ client, topics: [topicName(config, 'events')], brokers: config.brokers, log })
  const { calls, cpuBudget, processEventsPerSecond: processEvents, spool, go } = config.edge
  const record = (source: Source) => (from.record === undefined ? source : createRecorder(source, from.record, log))
  const spoolLimitBytes = spool.enabled ? spool.maxBytes : undefined
  const spoolPath = spool.enabled ? join(config.stateDir, 'edge', 'spool.sqlite') : undefined
  if (from.source !== undefined) {
    const source = record(openRecording(from.source))
    const edge = await startEdge({ config, log, source, client, spoolPath })
    report()
    // No CPU budget: the kernel cannot count the calls of a recording.
    const unmeasured = { cpuBudget: undefined, programTimeNs: () => undefined }
    return measureEdge({ edge, spoolLimitBytes, processEvents, calls, ...unmeasured, log })
  }

  const { openLiveSource } = await import('../../producer/source/live-source.ts')
  const { preparePinFolder } = await import('../../producer/source/pin-folder.ts')
  const { futureUser, preparePrivilegeDrop } = await import('../../producer/privileges.ts')
  const { GoProcesses } = await import('../../producer/go/go-processes.ts')
  const { preloadKafkaClient } = await import('../../wire/kafka.ts')
  const drop = preparePrivilegeDrop(config.edge.user, go.functions)
  const dropPrivileges = () => {
    preloadKafkaClient()
    log.info(drop())
  }
  const opened = await openLiveSource({
    ...config.edge,
    pinDir: preparePinFolder(config.edge.pinDir, config.stateDir, log),
    ignoreFamily: from.ignoreFamily,
    pinOwner: futureUser(config.edge.user),
    measureCost: cpuBudget !== undefined,
    goFunctions: go.functions
  })
  for (const note of opened.notes) log.warn(note)
  try {
    const source = record(opened)
    const reduce = ({ processEvents, classes }: Reduction) => {
      opened.setCalls(calls, new Set(classes))
      opened.setProcessEvents(processEvents)
    }
    const symbolizer = go.functions ? new GoProcesses({ marks: opened, log }) : undefined
    const edge = await startEdge({ config, log, source, client, spoolPath, dropPrivileges, reduce, symbolizer })
    report()
    const programTimeNs = () => opened.programTimeNs()
    return measureEdge({ edge, spoolLimitBytes, processEvents, calls, cpuBudget, programTimeNs, log })
  } catch (error) {
    opened.close()
    throw error
  }
}
