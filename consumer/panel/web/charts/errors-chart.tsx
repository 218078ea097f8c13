// Errors per second, and their share of all calls.
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
import { errorShare, errorsPerSecond, measured } from './slots.ts'

/** Closed windows only: the share among the first few calls of a window says nothing. */
const shareLine = (colours: Colours): uPlot.Series => ({
  stroke: colours.share,
  scale: 'share',
  width: 1,
  dash: [5, 3],
  points: { show: false }
})

const options: PlotProps['options'] = (colours) => ({
  series: [{}, ...lines(colours.errors), shareLine(colours)],
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

export const ErrorsChart = (props: ChartProps) => {
  const { slots, crosshair } = props
  const values = useMemo(() => [...measured(slots, errorsPerSecond), measured(slots, errorShare)[0]], [slots])
  const point = readPoint(slots, useCrosshair(crosshair))
  return (
    <ChartFrame
      {...props}
      name="errors"
      title="Errors"
      label="Errors per second and error share over time"
      values={values}
      options={options}
    >
      {point !== undefined && (
        <Readout name="errors">
          <Value name="rate" colour="errors">
            {formatPerSecond((point.errors * 1000) / slots.windowMs)}
          </Value>
          <Value name="share" colour="share">
            {point.count > 0 ? formatPart(point.errors / point.count) : '–'}
          </Value>
          <Value name="errors">{formatCount(point.errors)}</Value>
        </Readout>
      )}
    </ChartFrame>
  )
}
