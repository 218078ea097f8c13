// Numbers for terminal and panel: three significant digits with a unit. Pure.

const significant = (value: number): string => {
  if (value >= 100) return value.toFixed(0)
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** Uses the unit of the first step that the value reaches, else of the last: (12345, [[1e3, 'k'], [1, '']]) → "12.3k" */
export const scaled = (value: number, steps: readonly (readonly [number, string])[]): string => {
  // 999.5 rounds to 1000, which has the unit of the next step.
  const step = steps.find(([size]) => value >= size * 0.9995) ?? steps.at(-1) ?? [1, '']
  return `${significant(value / step[0])}${step[1]}`
}

/** 1234567 → "1,234,567" */
export const formatCount = (count: number): string => Math.round(count).toLocaleString('en-US')

/** Events per second: 0 → "0", 3.25 → "3.25", 12345 → "12.3k" */
export const formatRate = (perSecond: number): string => {
  if (perSecond < 0.005) return '0'
  return scaled(perSecond, [
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
    [1, '']
  ])
}

/** Nanoseconds: 950 → "950ns", 12345 → "12.3us", 2.5e9 → "2.50s" */
export const formatNanoseconds = (ns: number): string => {
  if (ns < 999.5) return `${ns.toFixed(0)}ns`
  return scaled(ns, [
    [1e9, 's'],
    [1e6, 'ms'],
    [1e3, 'us']
  ])
}

/** Bytes in binary units: 67108864 → "64.0 MiB" */
export const formatBytes = (bytes: number): string => {
  if (bytes < 1023.5) return `${bytes.toFixed(0)} B`
  return scaled(bytes, [
    [2 ** 40, ' TiB'],
    [2 ** 30, ' GiB'],
    [2 ** 20, ' MiB'],
    [2 ** 10, ' KiB']
  ])
}

/** (1, 8) → "12.5%"; (0, 0) → "-" */
export const formatShare = (part: number, whole: number): string =>
  whole > 0 ? `${((100 * part) / whole).toFixed(1)}%` : '-'
