// The heat map: a column per window, a row per octave of latency, coloured by the number of calls.
import { useMemo } from 'preact/hooks'
import type uPlot from 'uplot'
import { formatCount } from '../../../../runtime/format-number.ts'
import { formatDuration, formatDurationTick } from '../format.ts'
import type { Colours } from '../theme.ts'
import { octaveTicks } from './axis.ts'
import { ChartFrame, type ChartProps } from './chart-frame.tsx'
import { cellsByLevel, type HeatMap, heatMapOf, legendCounts, levelOf, octaveBounds } from './heat-map.ts'
import type { PlotProps } from './plot.tsx'
import { valueAxis } from './plot-options.ts'
import { Readout, readPoint, useCrosshair, Value } from './readout.tsx'
import type { Slots } from './slots.ts'

const maps = new WeakMap<Slots, HeatMap>()

/** Computed once per slots: scales, cells and legend use it. */
const heatOf = (slots: Slots): HeatMap => {
  const map = maps.get(slots) ?? heatMapOf(slots.points)
  maps.set(slots, map)
  return map
}

const paintCells = (plot: uPlot, slots: Slots, colours: Colours): void => {
  const { fromOctave, toOctave, maxCount } = heatOf(slots)
  const { times, windowMs, points } = slots
  const { ctx } = plot
  // Neighbours share one rounded edge, so that no seam is visible between them.
  const edge = (value: number, scale: 'x' | 'y'): number => Math.round(plot.valToPos(value, scale, true))
  const lefts = [...times, (times.at(-1) ?? 0) + windowMs].map((time) => edge(time / 1000, 'x'))
  const tops = Array.from({ length: toOctave - fromOctave + 1 }, (_, row) => edge(fromOctave + row, 'y'))
  for (const [level, cells] of cellsByLevel(points, maxCount).entries()) {
    if (cells.length === 0) continue
    ctx.fillStyle = colours.heat[level] as string
    ctx.beginPath()
    for (let cell = 0; cell < cells.length; cell += 2) {
      const [slot, row] = [cells[cell] as number, (cells[cell + 1] as number) - fromOctave]
      const [left, top] = [lefts[slot] as number, tops[row + 1] as number]
      ctx.rect(left, top, Math.max(1, (lefts[slot + 1] as number) - left), (tops[row] as number) - top)
    }
    ctx.fill()
  }
}

const options: PlotProps['options'] = (colours, latest) => ({
  series: [{}, { scale: 'y', paths: () => null, points: { show: false } }],
  scales: {
    y: {
      range: () => {
        const { fromOctave, toOctave } = heatOf(latest())
        return [fromOctave, toOctave]
      }
    }
  },
  axes: [
    valueAxis(colours, {
      splits: (_, __, min, max) => octaveTicks(min, max),
      values: (_, ticks) => ticks.map((octave) => formatDurationTick(Math.round(2 ** octave)))
    })
  ],
  hooks: { draw: [(plot) => paintCells(plot, latest(), colours)] }
})

const Legend = ({ maxCount, colours }: { readonly maxCount: number; readonly colours: Colours }) => (
  <p class="legend" title="Calls per cell; a cell is one window and one power of two of latency">
    {legendCounts(maxCount).map((count) => (
      <span key={count}>
        <i class="swatch" style={{ background: colours.heat[levelOf(count, maxCount)] as string }} />
        {formatCount(count)}
      </span>
    ))}
    <span class="name">calls</span>
  </p>
)

export const HeatChart = (props: ChartProps) => {
  const { slots, crosshair, colours } = props
  const values = useMemo(() => [slots.points.map(() => null)], [slots])
  const position = useCrosshair(crosshair)
  const octave = position?.octave ?? null
  const point = readPoint(slots, position)
  const [fromNs, toNs] = octaveBounds(octave ?? 0)
  const { maxCount } = heatOf(slots)
  return (
    <ChartFrame
      {...props}
      name="heat"
      title="Latency distribution"
      label="Heat map of latency over time"
      values={values}
      options={options}
      hasOctaves
    >
      {octave === null ? (
        maxCount > 0 && <Legend maxCount={maxCount} colours={colours} />
      ) : (
        <Readout name="heat">
          <Value name={`${formatDuration(fromNs)} – ${formatDuration(toNs)}`}>
            {formatCount(point?.heat.find(([of]) => of === octave)?.[1] ?? 0)} calls
          </Value>
        </Readout>
      )}
    </ChartFrame>
  )
}
