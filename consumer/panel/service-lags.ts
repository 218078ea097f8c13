// How far groups have come → how many messages wait for each service. Pure.
import type { GroupProgress } from '../../wire/client.ts'
import { handledUntil } from '../state/replay.ts'
import type { ServiceLag } from './protocol.ts'

/** The services whose groups have the topic prefix and these names. */
export const watchedServices = ['rollups', 'alerts', 'audit'] as const

/** @param groups of the watched services, in their order */
export const serviceLags = (progress: readonly GroupProgress[], groups: readonly string[]): ServiceLag[] =>
  watchedServices.map((service, index) => {
    const ofService = progress.filter(({ group }) => group === groups[index])
    const waiting = ofService.map(({ commit, endOffset }) => {
      // A service that keeps state commits the offset that it would be rebuilt from, and notes how far it is.
      const handled = handledUntil(commit.metadata)
      const next = handled !== undefined && handled >= commit.offset ? handled + 1n : commit.offset
      return Math.max(0, Number(endOffset - next))
    })
    return { service, messages: ofService.length === 0 ? null : waiting.reduce((sum, count) => sum + count, 0) }
  })
