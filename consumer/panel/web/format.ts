// Numbers, durations, times and names as the page shows them. Pure.
import { formatRate, scaled } from '../../../runtime/format-number.ts'

/** Nanoseconds: 950 → "950 ns", 12345 → "12.3 µs" */
export const formatDuration = (ns: number): string => {
  if (ns < 999.5) return `${ns.toFixed(0)} ns`
  return scaled(ns, [
    [1e9, ' s'],
    [1e6, ' ms'],
    [1e3, ' µs']
  ])
}

/** On an axis: no more digits than the value needs. */
export const formatDurationTick = (ns: number): string => {
  const step =
    (
      [
        [1e9, ' s'],
        [1e6, ' ms'],
        [1e3, ' µs']
      ] as const
    ).find(([size]) => ns >= size) ?? ([1, ' ns'] as const)
  return `${Number((ns / step[0]).toPrecision(3))}${step[1]}`
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

/** A part of a whole from 0 to 1: 0.125 → "12.5 %"; what is very little is not nothing */
export const formatPart = (part: number): string => {
  const percent = part * 100
  if (percent === 0) return '0 %'
  if (percent < 0.01) return '<0.01 %'
  return `${percent.toFixed(percent < 0.1 ? 2 : 1)} %`
}

/** On an axis: 0.06 → "6 %" */
export const formatPartTick = (part: number): string => `${Number((part * 100).toPrecision(3))} %`

/** How long ago, milliseconds: 400 → "0.4 s", 65000 → "1 min 05 s", 3 hours → "3 h 00 min" */
export const formatAge = (ms: number): string => {
  if (ms < 9_950) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  const two = (value: number): string => String(value).padStart(2, '0')
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`
  return `${Math.floor(seconds / 86_400)} d ${two(Math.floor((seconds % 86_400) / 3600))} h`
}

const twoDigits = (value: number): string => String(value).padStart(2, '0')

/** Of the browser's own time zone: "14:03:22" */
export const formatTime = (timeMs: number): string => {
  const date = new Date(timeMs)
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':')
}

/** Likewise: "2026-11-22 14:03:22" */
export const formatDateTime = (timeMs: number): string => {
  const date = new Date(timeMs)
  return `${date.getFullYear()}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())} ${formatTime(timeMs)}`
}

/** The time alone when it is of the same day as `nowMs`. */
export const formatMoment = (timeMs: number, nowMs: number): string =>
  formatDateTime(timeMs).slice(0, 10) === formatDateTime(nowMs).slice(0, 10)
    ? formatTime(timeMs)
    : formatDateTime(timeMs)

/** A length of windows: 10000 → "10 s" */
export const formatWindow = (ms: number): string => (ms < 60_000 ? `${ms / 1000} s` : `${ms / 60_000} min`)

/** Characters of a path that fit in a column of a table. */
const longestPath = 44

/** A container's id as people know it, its first twelve digits; of a long path the end, from a slash on. */
export const shortWorkload = (workload: string): string => {
  if (/^[0-9a-f]{64}$/.test(workload)) return workload.slice(0, 12)
  if (workload.length <= longestPath) return workload
  const end = workload.slice(1 - longestPath)
  return `…${end.slice(Math.max(0, end.indexOf('/')))}`
}
