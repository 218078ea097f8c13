// Whether who asks has the token, in a time that does not tell how much of it was right.
import { createHash, timingSafeEqual } from 'node:crypto'

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** Whether two texts are the same. */
export const isSameSecret = (given: string, wanted: string): boolean => timingSafeEqual(digest(given), digest(wanted))

/**
 * Whether a request may pass.
 * @param authorization its header
 * @param token what a bearer must have; undefined: whoever reaches the listener may pass
 */
export const hasBearer = (authorization: string | undefined, token: string | undefined): boolean =>
  token === undefined || isSameSecret(authorization ?? '', `Bearer ${token}`)
