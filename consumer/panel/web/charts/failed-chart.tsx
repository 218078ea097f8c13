// Failed calls per second, and their share of all calls; beside them the expected errors.
import { useMemo } from 'preact/hooks'
import type uPlot from 'uplot'
import { formatCount } from '../../../../runtime/format-number.ts'
import { formatPart, formatPartTick, formatPerSecond } from '../format.ts'
import type { Colours } from '../theme.ts'
import { limitsFromZero } from './axis.ts'
import { ChartFrame, type ChartProps } from './chart-frame.tsx'
import type { PlotProps } from './plot.tsx'
import { axis, lines, rateAxis, shareAxisWidth } from './plot-options.ts'
import { Readout, readPoint, useCrosshair, Value } from './readout.tsx'
import { failedPerSecond, failedShare, measured } from './slots.ts'

/** Closed windows only: the share among the first few calls of a window is not meaningful. */
const shareLine = (colours: Colours): uPlot.Series => ({
  stroke: colours.share,
  scale: 'share',
  width: 1,
  dash: [5, 3],
  points: { show: false }
})

const formatShare = (share: number | null): string => (share === null ? '–' : formatPart(share))

const options: PlotProps['options'] = (colours) => ({
  series: [{}, ...lines(colours.failed), shareLine(colours)],
  scales: {
    y: { range: (_, __, max) => limitsFromZero(max, 1) },
    share: { range: (_, __, max) => [0, Math.min(1, limitsFromZero(max, 0.01)[1])] }
  },
  axes: [
    rateAxis(colours),
    axis(colours, {
      scale: 'share',
      side: 1,
      size: shareAxisWidth,
      grid: { show: false },
      values: (_, ticks) => ticks.map(formatPartTick)
    })
  ]
})

export const FailedChart = (props: ChartProps) => {
  const { slots, crosshair } = props
  const values = useMemo(() => [...measured(slots, failedPerSecond), measured(slots, failedShare)[0]], [slots])
  const point = readPoint(slots, useCrosshair(crosshair))
  return (
    <ChartFrame
      {...props}
      name="failed"
      title="Failed"
      label="Failed calls per second and their share over time"
      values={values}
      options={options}
    >
      {point !== undefined && (
        <Readout name="failed">
          <Value name="rate" colour="failed">
            {formatPerSecond((point.failed * 1000) / slots.windowMs)}
          </Value>
          <Value name="share" colour="share">
            {formatShare(failedShare(point, slots.windowMs))}
          </Value>
          <Value name="failed">{formatCount(point.failed)}</Value>
          <Value name="expected">{formatCount(point.expected)}</Value>
        </Readout>
      )}
    </ChartFrame>
  )
}
