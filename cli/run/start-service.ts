// Starts the service or handler that `ringside run` names. Loads the code of that one only: consumers never need the
// addon.
import { basename, extname, isAbsolute } from 'node:path'
import type { HandlerModule } from '../../consumer/handler.ts'
import type { Config } from '../../runtime/config.ts'
import type { Log } from '../../runtime/log.ts'
import type { Service } from '../../runtime/service.ts'
import { type EdgeSource, startEdgeService } from './edge-service.ts'

export const serviceNames = ['edge', 'rollups', 'alerts', 'audit', 'panel'] as const
export type ServiceName = (typeof serviceNames)[number]

export const isServiceName = (text: string): text is ServiceName => serviceNames.some((name) => name === text)

/** A handler needs a path, so that a misspelled service is not taken for a file. */
export const isHandlerPath = (text: string): boolean => isAbsolute(text) || /^\.\.?\//.test(text)

/** "rollups" → "rollups", "./my-handler.ts" → "my-handler" */
export const nameOf = (target: string): string => (isServiceName(target) ? target : basename(target, extname(target)))

const consumerModule = async (target: string, config: Config, log: Log): Promise<HandlerModule> => {
  switch (target) {
    case 'rollups':
      if (config.metrics.listen !== '') {
        const { measuredRollupsModule } = await import('../../consumer/rollups/measured-rollups.ts')
        return measuredRollupsModule(config.rollups, config.metrics.series)
      }
      return (await import('../../consumer/rollups/rollups.ts')).rollupsModule(config.rollups)
    case 'audit':
      return (await import('../../consumer/audit/audit.ts')).auditModule()
    case 'alerts': {
      const { alertsModule } = await import('../../consumer/alerts/alerts.ts')
      const { loadRules } = await import('../../consumer/alerts/load-rules.ts')
      const { enabled, windowSeconds } = config.alerts.drift
      if (enabled && !config.rollups.windowsMs.includes(windowSeconds * 1000)) {
        log.warn({ windowSeconds }, 'drift detection is off: add alerts.drift.windowSeconds to rollups.windowsMs')
      }
      return alertsModule(config.alerts, loadRules(config.alerts.rulesDir))
    }
    default:
      return (await import('../../consumer/service.ts')).loadHandlerModule(target)
  }
}

/**
 * @param target a service's name, or the path of a handler
 * @param config with resolved brokers
 * @param from for the edge only
 */
export const startService = async (target: string, config: Config, log: Log, from: EdgeSource): Promise<Service> => {
  if (target === 'edge') return startEdgeService(config, log, from)
  if (target === 'panel') return (await import('../../consumer/panel/panel.ts')).startPanel({ config, log })
  const module = await consumerModule(target, config, log)
  const { startConsumer } = await import('../../consumer/service.ts')
  return startConsumer({ name: nameOf(target), module, config, log })
}
