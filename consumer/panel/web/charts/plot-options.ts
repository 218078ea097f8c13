// The parts of uPlot options that several charts use: axes and lines.
import type uPlot from 'uplot'
import { formatPerSecondTick } from '../format.ts'
import type { Colours } from '../theme.ts'

const font = '11px ui-sans-serif, system-ui, sans-serif'
/** Pixels; the same for all charts, so that their time axes are aligned. */
const valueAxisWidth = 62
/** The axis of error shares at the right; a chart above it leaves the same room free. */
export const shareAxisWidth = 46

export const axis = (colours: Colours, more: uPlot.Axis): uPlot.Axis => ({
  stroke: colours.dim,
  font,
  grid: { stroke: colours.grid, width: 1 },
  ticks: { show: false },
  gap: 4,
  ...more
})

export const valueAxis = (colours: Colours, more: uPlot.Axis): uPlot.Axis =>
  axis(colours, { scale: 'y', size: valueAxisWidth, ...more })

export const rateAxis = (colours: Colours): uPlot.Axis =>
  valueAxis(colours, { values: (_, ticks) => ticks.map(formatPerSecondTick) })

/** A line through the closed windows, and a ring for an open one: its partial result. */
export const lines = (stroke: string, more: uPlot.Series = {}): uPlot.Series[] => [
  { stroke, scale: 'y', width: 1.5, points: { show: false }, ...more },
  {
    stroke,
    scale: 'y',
    width: 0,
    paths: () => null,
    points: { show: true, size: 5, stroke, width: 1.5, fill: 'transparent' }
  }
]
