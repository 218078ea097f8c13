// A small service for the tests of hosting and supervision. Its argument: run, end, fail or refuse to start.
import { setTimeout as delay } from 'node:timers/promises'
import { host } from '../../../cli/run/host.ts'
import { RingsideError } from '../../../runtime/errors.ts'
import { createLog } from '../../../runtime/log.ts'
import type { Service } from '../../../runtime/service.ts'

const [, , behaviour] = process.argv
const done = Promise.withResolvers<void>()
const counts = { events: 1, drains: 0, stops: 0 }

const service: Service = {
  counters: () => counts,
  problems: () => [],
  done: done.promise,
  drain: async () => {
    counts.drains += 1
    await delay(50)
    counts.events += 10
    done.resolve()
  },
  stop: async () => {
    counts.stops += 1
    done.resolve()
  }
}

const start = async (): Promise<Service> => {
  if (behaviour === 'refuse') throw new RingsideError('CONFIG', 'refused')
  if (behaviour === 'end') setTimeout(() => done.resolve(), 50)
  if (behaviour === 'fail') setTimeout(() => done.reject(new RingsideError('UNAVAILABLE', 'went away')), 50)
  return service
}

try {
  const keepAlive = setInterval(() => {}, 1000)
  await host({ name: 'hosted', log: createLog('hosted'), start })
  clearInterval(keepAlive)
} catch (error) {
  process.exitCode = error instanceof RingsideError ? error.exitCode : 70
}
process.exit()
