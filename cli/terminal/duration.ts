// Durations as options have them ("30s", "5m") and as a terminal shows them ("1 min 30 s").
import { RingsideError } from '../../runtime/errors.ts'

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * Parses a positive duration: digits with an optional fraction, and a unit of ms, s, m, h or d.
 * @returns milliseconds
 * @throws RingsideError USAGE
 */
export const parseDuration = (text: string): number => {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text)
  const durationMs = match === null ? 0 : Number(match[1]) * (unitMs[match[2] ?? ''] ?? 0)
  if (durationMs > 0 && Number.isFinite(durationMs)) return durationMs
  throw new RingsideError(
    'USAGE',
    `"${text}" is not a duration: write a number and its unit, such as 30s, 5m, 2h or 1d`
  )
}

/**
 * Parses a moment: a duration before now, or an ISO 8601 time.
 * @returns milliseconds since the epoch
 * @throws RingsideError USAGE
 */
export const parseSince = (text: string, nowMs: number): number => {
  if (/^\d{4}-\d\d-\d\d/.test(text)) {
    const timeMs = Date.parse(text)
    if (!Number.isNaN(timeMs)) return timeMs
  } else if (/^\d+(\.\d+)?[a-z]+$/.test(text)) {
    return nowMs - parseDuration(text)
  }
  throw new RingsideError('USAGE', `"${text}" is neither a duration (5m, 2h) nor an ISO time (2026-01-31T12:00:00Z)`)
}

/** "4.2 s", "1 min 30 s", "2 h 5 min": two units at most. */
export const formatDuration = (durationMs: number): string => {
  if (durationMs < 59_950) return `${(durationMs / 1000).toFixed(1)} s`
  const seconds = Math.round(durationMs / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}
