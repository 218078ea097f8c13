// Calls per second.
import { useMemo } from 'preact/hooks'
import { formatCount } from '../../../../runtime/format-number.ts'
import { formatPerSecond } from '../format.ts'
import { limitsFromZero } from './axis.ts'
import { ChartFrame, type ChartProps } from './chart-frame.tsx'
import type { PlotProps } from './plot.tsx'
import { lines, rateAxis, shareAxisWidth } from './plot-options.ts'
import { Readout, readPoint, useCrosshair, Value } from './readout.tsx'
import { callsPerSecond, measured } from './slots.ts'

const options: PlotProps['options'] = (colours) => ({
  series: [{}, ...lines(colours.calls, { fill: colours.fill })],
  scales: { y: { range: (_, __, max) => limitsFromZero(max, 1) } },
  axes: [rateAxis(colours)]
})

export const CallsChart = (props: ChartProps) => {
  const { slots, crosshair } = props
  const values = useMemo(() => measured(slots, callsPerSecond), [slots])
  const point = readPoint(slots, useCrosshair(crosshair))
  return (
    <ChartFrame
      {...props}
      name="calls"
      title="Calls"
      label="Calls per second over time"
      freeRight={shareAxisWidth}
      values={values}
      options={options}
    >
      {point !== undefined && (
        <Readout name="calls">
          <Value name="rate" colour="calls">
            {formatPerSecond((point.count * 1000) / slots.windowMs)}
          </Value>
          <Value name="calls">{formatCount(point.count)}</Value>
          {point.lost > 0 && (
            <Value name="lost" colour="lost">
              {formatCount(point.lost)}
            </Value>
          )}
        </Readout>
      )}
    </ChartFrame>
  )
}
