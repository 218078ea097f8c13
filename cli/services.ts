// What `ringside run NAME` starts. A service's code is loaded only when it is the one asked for: a
// consumer never needs the kernel's addon.
import { basename, extname, isAbsolute, join } from 'node:path'
import type { HandlerModule } from '../consumer/handler.ts'
import type { Source } from '../producer/source/source.ts'
import type { Config } from '../runtime/config.ts'
import type { Log } from '../runtime/log.ts'
import type { Service } from '../runtime/service.ts'
import type { EventClass } from '../wire/types.ts'

export const serviceNames = ['edge', 'rollups', 'alerts', 'audit', 'panel'] as const
export type ServiceName = (typeof serviceNames)[number]

export const isServiceName = (text: string): text is ServiceName => serviceNames.some((name) => name === text)

/** A handler is named by a path, so that a slip in a service's name is not taken for a file. */
export const isHandlerPath = (text: string): boolean => isAbsolute(text) || /^\.\.?\//.test(text)

/** The name of a service, or that of a handler's file: "./my-handler.ts" is "my-handler". */
export const nameOf = (what: string): string => (isServiceName(what) ? what : basename(what, extname(what)))

export interface EdgeSource {
  /** A recording in place of the live kernel. */
  readonly source: string | undefined
  /** Where to write the raw ring as well. */
  readonly record: string | undefined
  /** Observe neither the parent process nor any of its children. */
  readonly ignoreFamily: boolean
}

const startEdgeService = async (config: Config, log: Log, from: EdgeSource): Promise<Service> => {
  const { startEdge } = await import('../producer/edge.ts')
  const { createRecorder, openRecording } = await import('../producer/source/recording.ts')
  const { measureEdge } = await import('../producer/measured-edge.ts')
  const { createKafkaClient } = await import('../wire/kafka.ts')
  const client = createKafkaClient({ brokers: config.brokers, clientId: 'ringside-edge', log })
  const { calls, cpuBudget } = config.edge
  const record = (source: Source) => (from.record === undefined ? source : createRecorder(source, from.record))
  const spoolLimitBytes = config.edge.spool.enabled ? config.edge.spool.maxBytes : undefined
  const spoolPath = config.edge.spool.enabled ? join(config.stateDir, 'edge', 'spool.sqlite') : undefined
  if (from.source !== undefined) {
    const source = record(openRecording(from.source))
    const edge = await startEdge({ config, log, source, client, spoolPath })
    // What a recording holds can no longer be counted instead.
    return measureEdge({ edge, spoolLimitBytes, calls, cpuBudget: undefined, programTimeNs: () => undefined, log })
  }

  const { openLiveSource } = await import('../producer/source/live-source.ts')
  const { preparePinFolder } = await import('../producer/source/pin-folder.ts')
  const { futureUser, preparePrivilegeDrop } = await import('../producer/privileges.ts')
  const { GoProcesses } = await import('../producer/go/go-processes.ts')
  const { preloadKafkaClient } = await import('../wire/kafka.ts')
  const goFunctions = config.edge.go.functions
  const drop = preparePrivilegeDrop(config.edge.user, goFunctions)
  const dropPrivileges = () => {
    preloadKafkaClient()
    log.info(drop())
  }
  const measureCost = config.edge.cpuBudget !== undefined
  const pinOwner = futureUser(config.edge.user)
  const { ignoreFamily } = from
  const pinDir = preparePinFolder(config.edge.pinDir, config.stateDir, log)
  const opened = await openLiveSource({ ...config.edge, pinDir, ignoreFamily, pinOwner, measureCost, goFunctions })
  for (const note of opened.notes) log.warn(note)
  try {
    const source = record(opened)
    const reduce = (classes: readonly EventClass[]) => opened.setCalls(calls, new Set(classes))
    const symbolizer = goFunctions ? new GoProcesses({ marks: opened, log }) : undefined
    const edge = await startEdge({ config, log, source, client, spoolPath, dropPrivileges, reduce, symbolizer })
    return measureEdge({ edge, spoolLimitBytes, calls, cpuBudget, programTimeNs: () => opened.programTimeNs(), log })
  } catch (error) {
    opened.close()
    throw error
  }
}

const consumerModule = async (what: string, config: Config, log: Log): Promise<HandlerModule> => {
  switch (what) {
    case 'rollups':
      if (config.metrics.listen !== '') {
        const { measuredRollupsModule } = await import('../consumer/rollups/measured-rollups.ts')
        return measuredRollupsModule(config.rollups, config.metrics.series)
      }
      return (await import('../consumer/rollups/rollups.ts')).rollupsModule(config.rollups)
    case 'audit':
      return (await import('../consumer/audit/audit.ts')).auditModule()
    case 'alerts': {
      const { alertsModule } = await import('../consumer/alerts/alerts.ts')
      const { loadRules } = await import('../consumer/alerts/load-rules.ts')
      const { enabled, windowSeconds } = config.alerts.drift
      if (enabled && !config.rollups.windowsMs.includes(windowSeconds * 1000)) {
        log.warn({ windowSeconds }, 'no drift is found: alerts.drift.windowSeconds is none of rollups.windowsMs')
      }
      return alertsModule(config.alerts, loadRules(config.alerts.rulesDir))
    }
    default:
      return (await import('../consumer/service.ts')).loadHandlerModule(what)
  }
}

/**
 * Starts a service by its name, or the handler at a path.
 * @param config with the brokers to use
 * @param from only of meaning for the edge
 */
export const startService = async (what: string, config: Config, log: Log, from: EdgeSource): Promise<Service> => {
  if (what === 'edge') return startEdgeService(config, log, from)
  if (what === 'panel') return (await import('../consumer/panel/panel.ts')).startPanel({ config, log })
  const module = await consumerModule(what, config, log)
  const { startConsumer } = await import('../consumer/service.ts')
  return startConsumer({ name: nameOf(what), module, config, log })
}
