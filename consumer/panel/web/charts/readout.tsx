// The exact values of one window, to the right of a chart's title: the window at the crosshair, else the newest closed one.
import type { ComponentChildren } from 'preact'
import type { Point } from '../../protocol.ts'
import { useChanges } from '../state/use-changes.ts'
import type { Crosshair } from './crosshair.ts'
import type { Slots } from './slots.ts'

export const useCrosshair = (crosshair: Crosshair): Crosshair['position'] => {
  useChanges(crosshair)
  return crosshair.position
}

/** Index of the slot to read; undefined when there is none. */
export const readSlot = ({ points }: Slots, position: Crosshair['position']): number | undefined => {
  if (position !== null) return position.slot < points.length ? position.slot : undefined
  const newest = points.findLastIndex((point) => point?.complete === true)
  return newest === -1 ? undefined : newest
}

export const readPoint = (slots: Slots, position: Crosshair['position']): Point | undefined => {
  const slot = readSlot(slots, position)
  return slot === undefined ? undefined : slots.points[slot]
}

export const Readout = ({ name, children }: { readonly name: string; readonly children: ComponentChildren }) => (
  <p class="readout" data-testid={`readout-${name}`}>
    {children}
  </p>
)

interface ValueProps {
  readonly name: string
  readonly colour?: string
  readonly children: ComponentChildren
}

export const Value = ({ name, colour, children }: ValueProps) => (
  <span class="value">
    <span class="name">
      {colour !== undefined && <i class={`swatch ${colour}`} />}
      {name}
    </span>
    <b data-value={name}>{children}</b>
  </span>
)
