// The heat map: a column for each window, a row for each octave of latency, coloured by how many calls.
import { useMemo } from 'preact/hooks'
import type uPlot from 'uplot'
import { formatCount } from '../../../../runtime/format-number.ts'
import { formatDuration, formatDurationTick } from '../format.ts'
import type { Colours } from '../theme.ts'
import { octaveTicks } from './axis.ts'
import type { ChartProps } from './charts.tsx'
import { cellsByLevel, type HeatMap, heatMapOf, legendCounts, levelOf, octaveBounds } from './heat-map.ts'
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

const paintCells = (plot: uPlot, slots: Slots, colours: Colours): void => {
  const { fromOctave, toOctave, maxCount } = heatOf(slots)
  const { times, windowMs, points } = slots
  const { ctx } = plot
  // Edges of neighbours are rounded alike, so that no seams are left.
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
  hooks: { draw: [(plot) => paintCells(plot, latest(), colours)] }
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
