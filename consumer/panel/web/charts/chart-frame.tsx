// The frame of every chart: title, legend or exact values, the plot, and a message while it has no current data.
import type { ComponentChildren } from 'preact'
import { Plot, type PlotProps } from './plot.tsx'
import { chartState } from './slots.ts'

/** Passed to every chart. */
export interface ChartProps extends Pick<PlotProps, 'slots' | 'colours' | 'crosshair'> {
  /** The page is disconnected, or the service receives nothing new. */
  readonly isStale: boolean
}

interface ChartFrameProps extends ChartProps, Pick<PlotProps, 'values' | 'options' | 'freeRight' | 'hasOctaves'> {
  readonly name: string
  readonly title: string
  /** Description of the plot for screen readers. */
  readonly label: string
  /** The legend or the exact values, to the right of the title. */
  readonly children: ComponentChildren
}

const messages = { loading: 'Loading …', empty: 'No data in this time range' } as const

export const ChartFrame = ({ name, title, children, isStale, ...plot }: ChartFrameProps) => {
  const state = chartState(plot.slots, isStale)
  return (
    <section class={`chart is-${state}`}>
      <header>
        <h2>{title}</h2>
        {state === 'stale' && (
          <span class="stale" title="No new data arrives: the message above the charts has the reason">
            stale
          </span>
        )}
        {children}
      </header>
      <div class="plot-area">
        <Plot {...plot} testId={`chart-${name}`} />
        {(state === 'loading' || state === 'empty') && (
          <p class="plot-message">
            <span>{messages[state]}</span>
          </p>
        )}
      </div>
    </section>
  )
}
