// The heat map: a column for each window, a row for each octave of latency, coloured by how many calls.
import { useMemo } from 'preact/hooks'
import type uPlot from 'uplot'
import { formatCount } from '../../../../runtime/format-number.ts'
import { formatDuration, formatDurationTick } from '../format.ts'
import { type HeatMap, heatMapOf, legendCounts, levelOf, octaveBounds } from '../heat-map.ts'
import type { Colours } from '../theme.ts'
import { octaveTicks } from './axis.ts'
import type { ChartProps } from './charts.tsx'
import { axis, Plot, type PlotProps } from './plot.tsx'
import { readSlot, useCrosshair, Value } from './readout.tsx'
import type { Slots } from './slots.ts'

const maps = new WeakMap<Slots, HeatMap>()

/** Made once for the same slots: scales, cells and legend ask for it. */
const heatOf = (slots: Slots): HeatMap => {
  const map = maps.get(slots) ?? heatMapOf(slots.points)
  maps.set(slots, map)
  return map
}

const paintCells = (plot: uPlot, map: HeatMap, { times, windowMs }: Slots, colours: Colours): void => {
  const { ctx } = plot
  const left = (slot: number): number => plot.valToPos((times[slot] as number) / 1000, 'x', true)
  const width = Math.max(1, plot.valToPos(windowMs / 1000, 'x', true) - plot.valToPos(0, 'x', true))
  for (const { slot, octave, count } of map.cells) {
    const [top, bottom] = [plot.valToPos(octave + 1, 'y', true), plot.valToPos(octave, 'y', true)]
    const x = Math.round(left(slot))
    ctx.fillStyle = colours.heat[levelOf(count, map.maxCount)] as string
    // Up to where the next one begins, so that rounding leaves no seams.
    ctx.fillRect(x, Math.round(top), Math.round(left(slot) + width) - x, Math.round(bottom) - Math.round(top))
  }
}

const heatOptions: PlotProps['options'] = (colours, latest) => ({
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
    axis(colours, {
      scale: 'y',
      size: 62,
      splits: (_, __, min, max) => octaveTicks(min, max),
      values: (_, ticks) => ticks.map((octave) => formatDurationTick(Math.round(2 ** octave)))
    })
  ],
  hooks: { draw: [(plot) => paintCells(plot, heatOf(latest()), latest(), colours)] }
})

/** The most calls of a cell are as far to the right as counts grow by the same factor. */
const Legend = ({ maxCount, colours }: { readonly maxCount: number; readonly colours: Colours }) => (
  <p class="legend" title="Calls in a cell: one window, one power of two of latency">
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
  const place = useCrosshair(crosshair)
  const octave = place?.octave ?? null
  const slot = readSlot(slots, place)
  const point = slot === undefined ? undefined : slots.points[slot]
  const [fromNs, toNs] = octaveBounds(octave ?? 0)
  const { maxCount } = heatOf(slots)
  return (
    <section class="chart">
      <header>
        <h2>Latency of all calls</h2>
        {octave === null ? (
          maxCount > 0 && <Legend maxCount={maxCount} colours={colours} />
        ) : (
          <p class="readout" data-testid="readout-heat">
            <Value name={`${formatDuration(fromNs)} – ${formatDuration(toNs)}`}>
              {formatCount(point?.heat.find(([of]) => of === octave)?.[1] ?? 0)} calls
            </Value>
          </p>
        )}
      </header>
      <Plot
        {...props}
        label="Heat map of latencies over time"
        testId="chart-heat"
        height={168}
        values={values}
        options={heatOptions}
        hasOctaves
      />
    </section>
  )
}
