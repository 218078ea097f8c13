// Latency percentiles, on a logarithmic scale.
import { useMemo } from 'preact/hooks'
import { formatDuration, formatDurationTick } from '../format.ts'
import { logarithmicLimits, logarithmicTicks } from './axis.ts'
import { ChartFrame, type ChartProps } from './chart-frame.tsx'
import type { PlotProps } from './plot.tsx'
import { lines, valueAxis } from './plot-options.ts'
import { Readout, readPoint, useCrosshair, Value } from './readout.tsx'
import { measured, percentile } from './slots.ts'

const percentiles = ['p50', 'p95', 'p99'] as const

const options: PlotProps['options'] = (colours) => ({
  series: [{}, ...percentiles.flatMap((name) => lines(colours[name]))],
  scales: { y: { distr: 3, range: (_, min, max) => logarithmicLimits(min, max) } },
  axes: [
    valueAxis(colours, {
      splits: (_, __, min, max) => logarithmicTicks(min, max),
      filter: (_, ticks) => ticks,
      values: (_, ticks) => ticks.map(formatDurationTick)
    })
  ]
})

export const LatencyChart = (props: ChartProps) => {
  const { slots, crosshair } = props
  const values = useMemo(() => percentiles.flatMap((name) => measured(slots, percentile(name))), [slots])
  const point = readPoint(slots, useCrosshair(crosshair))
  return (
    <ChartFrame
      {...props}
      name="latency"
      title="Latency"
      label="Latency percentiles over time"
      values={values}
      options={options}
    >
      {point !== undefined && point.count > 0 && (
        <Readout name="latency">
          {percentiles.map((name) => (
            <Value key={name} name={name} colour={name}>
              {formatDuration(point[name])}
            </Value>
          ))}
          <Value name="max">{formatDuration(point.max)}</Value>
        </Readout>
      )}
    </ChartFrame>
  )
}
