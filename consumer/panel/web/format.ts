// Numbers, durations, times and names → text of the page. Pure.
import { formatRate, scaled } from '../../../runtime/format-number.ts'

export const twoDigits = (value: number): string => String(value).padStart(2, '0')

const durationUnits = [
  [1e9, ' s'],
  [1e6, ' ms'],
  [1e3, ' µs']
] as const

/** Nanoseconds: 950 → "950 ns", 12345 → "12.3 µs" */
export const formatDuration = (ns: number): string => (ns < 999.5 ? `${ns.toFixed(0)} ns` : scaled(ns, durationUnits))

/** On an axis, without trailing zeros: 2000 → "2 µs" */
export const formatDurationTick = (ns: number): string => {
  const [size, unit] = durationUnits.find(([size]) => ns >= size) ?? [1, ' ns']
  return `${Number((ns / size).toPrecision(3))}${unit}`
}

/** 12345 → "12.3 k/s" */
export const formatPerSecond = (perSecond: number): string => {
  const text = formatRate(perSecond)
  const unit = text.match(/[a-zA-Z]$/)?.[0]
  return unit === undefined ? `${text} /s` : `${text.slice(0, -1)} ${unit}/s`
}

/** On an axis: 15000 → "15 k/s" */
export const formatPerSecondTick = (perSecond: number): string =>
  formatPerSecond(perSecond).replace(/\.(\d*?)0+(?=\D|$)/, (_, digits) => (digits === '' ? '' : `.${digits}`))

/** A part of a whole, 0 to 1: 0.125 → "12.5 %"; a small part is never shown as 0 */
export const formatPart = (part: number): string => {
  const percent = part * 100
  if (percent === 0) return '0 %'
  if (percent < 0.01) return '<0.01 %'
  return `${percent.toFixed(percent < 0.1 ? 2 : 1)} %`
}

/** On an axis: 0.06 → "6 %" */
export const formatPartTick = (part: number): string => `${Number((part * 100).toPrecision(3))} %`

/** An age in milliseconds: 400 → "0.4 s", 65000 → "1 min 05 s", 3 hours → "3 h 00 min" */
export const formatAge = (ms: number): string => {
  if (ms < 9_950) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${twoDigits(seconds % 60)} s`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${twoDigits(Math.floor((seconds % 3600) / 60))} min`
  return `${Math.floor(seconds / 86_400)} d ${twoDigits(Math.floor((seconds % 86_400) / 3600))} h`
}

/** In the browser's time zone: "14:03:22" */
export const formatTime = (timeMs: number): string => {
  const date = new Date(timeMs)
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':')
}

/** In the browser's time zone: "2026-11-22 14:03:22" */
export const formatDateTime = (timeMs: number): string => {
  const date = new Date(timeMs)
  return `${date.getFullYear()}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())} ${formatTime(timeMs)}`
}

/** Without the date on the day of `nowMs`. */
export const formatMoment = (timeMs: number, nowMs: number): string =>
  formatDateTime(timeMs).slice(0, 10) === formatDateTime(nowMs).slice(0, 10)
    ? formatTime(timeMs)
    : formatDateTime(timeMs)

/** A window length: 10000 → "10 s" */
export const formatWindow = (ms: number): string => (ms < 60_000 ? `${ms / 1000} s` : `${ms / 60_000} min`)

/** Characters of a path that fit into a table column. */
const longestPath = 44

/** The first twelve digits of a container id, as Docker shows it; of a long path its end, from a slash on. */
export const shortWorkload = (workload: string): string => {
  if (/^[0-9a-f]{64}$/.test(workload)) return workload.slice(0, 12)
  if (workload.length <= longestPath) return workload
  const end = workload.slice(1 - longestPath)
  return `…${end.slice(Math.max(0, end.indexOf('/')))}`
}
