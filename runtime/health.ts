// Answers of /healthz (the process responds) and /readyz (the service does its work), for probes. They need no token, as
// probes have none; why a service is not ready is for clients with the token.

import { printable } from './printable.ts'

export const healthPaths = { health: '/healthz', ready: '/readyz' } as const

export interface HealthAnswer {
  readonly status: 200 | 503
  readonly text: string
}

/**
 * @param url of a GET request
 * @param problems why the service is not ready
 * @param isAllowed the request has the token, or none is set
 * @returns undefined for any other path
 */
export const healthAnswer = (
  url: string | undefined,
  problems: () => readonly string[],
  isAllowed: boolean
): HealthAnswer | undefined => {
  const path = url?.split('?')[0]
  if (path === healthPaths.health) return { status: 200, text: 'ok\n' }
  if (path !== healthPaths.ready) return undefined
  const found = problems()
  if (found.length === 0) return { status: 200, text: 'ok\n' }
  const reasons = isAllowed
    ? found.map((reason) => printable(reason))
    : ['send the token as "authorization: Bearer …" to see why']
  return { status: 503, text: ['not ready', ...reasons, ''].join('\n') }
}
