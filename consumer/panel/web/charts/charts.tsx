// The four charts. They show the same windows and share one crosshair.
import { CallsChart } from './calls-chart.tsx'
import { Caption } from './caption.tsx'
import type { ChartProps } from './chart-frame.tsx'
import { FailedChart } from './failed-chart.tsx'
import { HeatChart } from './heat-chart.tsx'
import { LatencyChart } from './latency-chart.tsx'

export const Charts = (props: ChartProps) => (
  <div class="charts-frame">
    <Caption {...props} />
    <div class="charts">
      <CallsChart {...props} />
      <LatencyChart {...props} />
      <FailedChart {...props} />
      <HeatChart {...props} />
    </div>
  </div>
)
