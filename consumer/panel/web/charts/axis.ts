// Ticks and limits of the charts' scales. Pure.
import { twoDigits } from '../format.ts'

/** @param seconds since the epoch; @param step between ticks, seconds */
export const timeTick = (seconds: number, step: number): string => {
  const date = new Date(seconds * 1000)
  const minutes = `${twoDigits(date.getHours())}:${twoDigits(date.getMinutes())}`
  return step < 60 ? `${minutes}:${twoDigits(date.getSeconds())}` : minutes
}

/** From 0 to the next of 1, 1.5, 2, 3, 4, 5, 6, 8 or 10 times a power of ten that leaves 5% of room above the maximum. */
export const limitsFromZero = (max: number | null | undefined, atLeast: number): [number, number] => {
  const most = Math.max(atLeast, (max ?? 0) * 1.05)
  const power = 10 ** Math.floor(Math.log10(most))
  const step = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((times) => times * power >= most * (1 - 1e-9)) ?? 10
  return [0, step * power]
}

const leading = [1, 2, 5, 10] as const

/** The narrowest limits of 1, 2 or 5 times a power of ten around a range of durations, in nanoseconds. */
export const logarithmicLimits = (min: number | null | undefined, max: number | null | undefined): [number, number] => {
  const low = Math.max(1, min ?? 1000)
  const high = Math.max(low * 2, max ?? 1_000_000)
  const lowPower = 10 ** Math.floor(Math.log10(low))
  const highPower = 10 ** Math.floor(Math.log10(high))
  return [
    lowPower * (leading.findLast((times) => times * lowPower <= low) ?? 1),
    highPower * (leading.find((times) => times * highPower >= high) ?? 10)
  ]
}

/** Powers of ten; on a narrow scale also 2 and 5 times a power of ten. */
export const logarithmicTicks = (min: number, max: number): number[] => {
  const times = max / min > 1000 ? [1] : [1, 2, 5]
  const ticks: number[] = []
  for (let power = 10 ** Math.floor(Math.log10(min)); power <= max; power *= 10) {
    ticks.push(...times.map((factor) => factor * power).filter((tick) => tick >= min && tick <= max))
  }
  return ticks
}

/** Positions of the powers of ten of nanoseconds on an axis of octaves. */
export const octaveTicks = (fromOctave: number, toOctave: number): number[] => {
  const ticks: number[] = []
  for (let power = 0; power < 16; power++) {
    const octave = Math.log2(10 ** power)
    if (octave >= fromOctave && octave <= toOctave) ticks.push(octave)
  }
  return ticks
}
