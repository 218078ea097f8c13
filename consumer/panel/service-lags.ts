// Progress of the consumer groups → the messages that each service has not read yet. Pure.
import type { GroupProgress } from '../../wire/client.ts'
import { handledUntil } from '../state/replay.ts'
import type { ServiceLag } from './protocol.ts'

/** A service's group is the topic prefix and its name. */
export const watchedServices = ['rollups', 'alerts', 'audit'] as const

/** @param groups of the watched services, in their order */
export const serviceLags = (progress: readonly GroupProgress[], groups: readonly string[]): ServiceLag[] =>
  watchedServices.map((service, index) => {
    const ofService = progress.filter(({ group }) => group === groups[index])
    const unread = ofService.map(({ commit, endOffset }) => {
      // A service with state commits its resume offset; the metadata has the last handled offset.
      const handled = handledUntil(commit.metadata)
      const next = handled !== undefined && handled >= commit.offset ? handled + 1n : commit.offset
      return Math.max(0, Number(endOffset - next))
    })
    return { service, messages: ofService.length === 0 ? null : unread.reduce((sum, count) => sum + count, 0) }
  })
