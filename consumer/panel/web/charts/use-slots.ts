// The slots that the charts draw. They are rebuilt at once for another view, and for new points no more often than a
// chart moves by about a pixel.
import { useEffect, useReducer, useRef } from 'preact/hooks'
import type { Model } from '../state/model.ts'
import { type Slots, slotsOf } from './slots.ts'

/** Typical maximum width of a chart. */
const chartPixels = 1500

/** 5 minutes: 200 ms; 15 minutes: 600 ms; more: 1 s. */
const redrawMs = (rangeMs: number): number => Math.min(1000, rangeMs / chartPixels)

export const useSlots = (model: Model): Slots => {
  const [, render] = useReducer((count: number, _: undefined) => count + 1, 0)
  const drawn = useRef({ viewKey: '', revision: -1, atMs: 0, slots: undefined as Slots | undefined })
  const nowMs = Date.now()
  const { fromMs, toMs } = model.shown(nowMs)
  const viewKey = `${fromMs} ${toMs} ${model.windowMs} ${model.isFilled}`
  const { current } = drawn
  const waitMs = current.atMs + redrawMs(model.view.range.ms) - nowMs
  const isNew = current.slots === undefined || current.viewKey !== viewKey
  const isBehind = current.revision !== model.series.revision
  if (isNew || (isBehind && waitMs <= 0)) {
    drawn.current = { viewKey, revision: model.series.revision, atMs: nowMs, slots: slotsOf(model, nowMs) }
  }
  const isPending = isBehind && !isNew && waitMs > 0
  useEffect(() => {
    if (!isPending) return undefined
    const timer = setTimeout(() => render(undefined), waitMs)
    return () => clearTimeout(timer)
  }, [isPending])
  return drawn.current.slots as Slots
}
