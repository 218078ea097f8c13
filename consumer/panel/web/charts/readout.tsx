// The exact values at the crosshair, or of the newest window that has ended, beside a chart's title.
import type { ComponentChildren } from 'preact'
import { useEffect, useReducer } from 'preact/hooks'
import type { Point } from '../../protocol.ts'
import type { Crosshair } from './crosshair.ts'
import type { Slots } from './slots.ts'

/** Renders anew when the crosshair moves. */
export const useCrosshair = (crosshair: Crosshair): Crosshair['place'] => {
  const [, render] = useReducer((count: number, _: undefined) => count + 1, 0)
  useEffect(() => crosshair.onMove(() => render(undefined)), [crosshair])
  return crosshair.place
}

/** The slot that is read out; undefined: there is none. */
export const readSlot = ({ points }: Slots, place: Crosshair['place']): number | undefined => {
  if (place !== null) return place.slot < points.length ? place.slot : undefined
  const newest = points.findLastIndex((point) => point?.complete === true)
  return newest === -1 ? undefined : newest
}

export const pointAt = (slots: Slots, place: Crosshair['place']): Point | undefined => {
  const slot = readSlot(slots, place)
  return slot === undefined ? undefined : slots.points[slot]
}

export const Value = ({ name, colour, children }: { name: string; colour?: string; children: ComponentChildren }) => (
  <span class="value">
    <span class="name">
      {colour !== undefined && <i class={`swatch ${colour}`} />}
      {name}
    </span>
    <b data-value={name}>{children}</b>
  </span>
)
