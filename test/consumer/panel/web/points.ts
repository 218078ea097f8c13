// A point with default values.
import type { Point } from '../../../../consumer/panel/protocol.ts'

export const pointAt = (timeMs: number, more: Partial<Point> = {}): Point => ({
  timeMs,
  count: 100,
  failed: 2,
  expected: 5,
  p50: 1_000,
  p95: 5_000,
  p99: 9_000,
  max: 12_345,
  heat: [
    [9, 60],
    [13, 40]
  ],
  lost: 0,
  complete: true,
  ...more
})
