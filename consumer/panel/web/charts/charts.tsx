// The four charts: calls, errors, percentiles, heat map. All show the same windows and point at the same place.
import { useMemo } from 'preact/hooks'
import type uPlot from 'uplot'
import { formatCount } from '../../../../runtime/format-number.ts'
import {
  formatDateTime,
  formatDuration,
  formatDurationTick,
  formatPart,
  formatPartTick,
  formatPerSecond,
  formatPerSecondTick,
  formatWindow
} from '../format.ts'
import type { Colours } from '../theme.ts'
import { limitsFromZero, logarithmicLimits, logarithmicTicks } from './axis.ts'
import type { Crosshair } from './crosshair.ts'
import { HeatChart } from './heat-chart.tsx'
import { axis, Plot, type PlotProps } from './plot.tsx'
import { pointAt, readSlot, useCrosshair, Value } from './readout.tsx'
import { callsPerSecond, errorShare, errorsPerSecond, measured, percentile, type Slots } from './slots.ts'

export interface ChartProps {
  readonly slots: Slots
  readonly colours: Colours
  readonly crosshair: Crosshair
}

const chartHeight = 168
/** The axis of shares, beside the errors; the chart above leaves as much free. */
const shareWidth = 46

/** A line through the windows that have ended, and a ring for one that is still open: its value so far. */
const lines = (stroke: string, scale: string, more: uPlot.Series = {}): uPlot.Series[] => [
  { stroke, scale, width: 1.5, points: { show: false }, ...more },
  {
    stroke,
    scale,
    width: 0,
    paths: () => null,
    points: { show: true, size: 5, stroke, width: 1.5, fill: 'transparent' }
  }
]

/** Without a ring: the share among the first few calls of a window says nothing. */
const shareLine = (colours: Colours): uPlot.Series => ({
  stroke: colours.share,
  scale: 'share',
  width: 1,
  dash: [5, 3],
  points: { show: false }
})

const callsOptions: PlotProps['options'] = (colours) => ({
  series: [{}, ...lines(colours.calls, 'y', { fill: colours.fill })],
  scales: { y: { range: (_, __, max) => limitsFromZero(max, 1) } },
  axes: [axis(colours, { scale: 'y', size: 62, values: (_, ticks) => ticks.map(formatPerSecondTick) })]
})

const errorsOptions: PlotProps['options'] = (colours) => ({
  series: [{}, ...lines(colours.errors, 'y'), shareLine(colours)],
  scales: {
    y: { range: (_, __, max) => limitsFromZero(max, 1) },
    share: { range: (_, __, max) => [0, Math.min(1, limitsFromZero(max, 0.01)[1])] }
  },
  axes: [
    axis(colours, { scale: 'y', size: 62, values: (_, ticks) => ticks.map(formatPerSecondTick) }),
    axis(colours, {
      scale: 'share',
      side: 1,
      size: shareWidth,
      grid: { show: false },
      values: (_, ticks) => ticks.map(formatPartTick)
    })
  ]
})

const latencyOptions: PlotProps['options'] = (colours) => ({
  series: [{}, ...lines(colours.p50, 'y'), ...lines(colours.p95, 'y'), ...lines(colours.p99, 'y')],
  scales: { y: { distr: 3, range: (_, min, max) => logarithmicLimits(min, max) } },
  axes: [
    axis(colours, {
      scale: 'y',
      size: 62,
      splits: (_, __, min, max) => logarithmicTicks(min, max),
      filter: (_, ticks) => ticks,
      values: (_, ticks) => ticks.map(formatDurationTick)
    })
  ]
})

const Calls = (props: ChartProps) => {
  const { slots, crosshair } = props
  const values = useMemo(() => measured(slots, callsPerSecond), [slots])
  const point = pointAt(slots, useCrosshair(crosshair))
  return (
    <section class="chart">
      <header>
        <h2>Calls</h2>
        {point !== undefined && (
          <p class="readout" data-testid="readout-calls">
            <Value name="rate" colour="calls">
              {formatPerSecond((point.count * 1000) / slots.windowMs)}
            </Value>
            <Value name="calls">{formatCount(point.count)}</Value>
            {point.lost > 0 && (
              <Value name="lost" colour="lost">
                {formatCount(point.lost)}
              </Value>
            )}
          </p>
        )}
      </header>
      <Plot
        {...props}
        label="Calls a second over time"
        testId="chart-calls"
        freeRight={shareWidth}
        height={chartHeight}
        values={values}
        options={callsOptions}
      />
    </section>
  )
}

const Errors = (props: ChartProps) => {
  const { slots, crosshair } = props
  const values = useMemo(() => [...measured(slots, errorsPerSecond), measured(slots, errorShare)[0]], [slots])
  const point = pointAt(slots, useCrosshair(crosshair))
  return (
    <section class="chart">
      <header>
        <h2>Errors</h2>
        {point !== undefined && (
          <p class="readout" data-testid="readout-errors">
            <Value name="rate" colour="errors">
              {formatPerSecond((point.errors * 1000) / slots.windowMs)}
            </Value>
            <Value name="share" colour="share">
              {point.count > 0 ? formatPart(point.errors / point.count) : '–'}
            </Value>
            <Value name="errors">{formatCount(point.errors)}</Value>
          </p>
        )}
      </header>
      <Plot
        {...props}
        label="Errors a second and their share of calls over time"
        testId="chart-errors"
        height={chartHeight}
        values={values}
        options={errorsOptions}
      />
    </section>
  )
}

const Latency = (props: ChartProps) => {
  const { slots, crosshair } = props
  const values = useMemo(
    () => (['p50', 'p95', 'p99'] as const).flatMap((name) => measured(slots, percentile(name))),
    [slots]
  )
  const point = pointAt(slots, useCrosshair(crosshair))
  return (
    <section class="chart">
      <header>
        <h2>Latency</h2>
        {point !== undefined && point.count > 0 && (
          <p class="readout" data-testid="readout-latency">
            {(['p50', 'p95', 'p99'] as const).map((name) => (
              <Value key={name} name={name} colour={name}>
                {formatDuration(point[name])}
              </Value>
            ))}
            <Value name="max">{formatDuration(point.max)}</Value>
          </p>
        )}
      </header>
      <Plot
        {...props}
        label="Percentiles of latency over time"
        testId="chart-latency"
        height={chartHeight}
        values={values}
        options={latencyOptions}
      />
    </section>
  )
}

/** Which window the values beside the titles are of, and the sums of all that are shown. */
const Caption = ({ slots, crosshair }: ChartProps) => {
  const place = useCrosshair(crosshair)
  const slot = readSlot(slots, place)
  const time = slot === undefined ? undefined : slots.times[slot]
  const point = slot === undefined ? undefined : slots.points[slot]
  const sum = (field: 'count' | 'errors' | 'lost'): number =>
    slots.points.reduce((total, counted) => total + (counted?.[field] ?? 0), 0)
  const lost = sum('lost')
  return (
    <div class="caption">
      <p data-testid="read-time">
        {time === undefined ? (
          <span>{slots.isFilled ? 'No window has ended in this time.' : 'Loading …'}</span>
        ) : (
          <>
            {place === null ? 'Newest window: ' : 'At the crosshair: '}
            <b>{formatDateTime(time)}</b> + {formatWindow(slots.windowMs)}
            {point === undefined && ', nothing came for it'}
            {point?.complete === false && ', still open: so far'}
          </>
        )}
      </p>
      <p data-testid="sums">
        Shown: <b>{formatCount(sum('count'))}</b> calls, <b>{formatCount(sum('errors'))}</b> errors,{' '}
        <span class={lost > 0 ? 'bad' : ''}>
          <b>{formatCount(lost)}</b> events lost
        </span>
      </p>
    </div>
  )
}

export const Charts = (props: ChartProps) => (
  <div class="charts-frame">
    <Caption {...props} />
    <div class="charts">
      <Calls {...props} />
      <Latency {...props} />
      <Errors {...props} />
      <HeatChart {...props} />
    </div>
  </div>
)
