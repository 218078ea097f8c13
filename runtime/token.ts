// Checks bearer tokens without a timing side channel.
import { createHash, timingSafeEqual } from 'node:crypto'

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** True when both texts are equal. Compares digests: the time does not depend on how much of the text matches. */
export const isSameSecret = (given: string, wanted: string): boolean => timingSafeEqual(digest(given), digest(wanted))

/**
 * True when a request is authorized.
 * @param authorization the request's header
 * @param token the expected token; undefined authorizes every request
 */
export const hasBearer = (authorization: string | undefined, token: string | undefined): boolean =>
  token === undefined || isSameSecret(authorization ?? '', `Bearer ${token}`)
