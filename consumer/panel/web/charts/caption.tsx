// The line above the charts: the window that their exact values belong to, and the totals of the time range.
import { formatCount } from '../../../../runtime/format-number.ts'
import { formatDateTime, formatWindow } from '../format.ts'
import type { ChartProps } from './chart-frame.tsx'
import { readSlot, useCrosshair } from './readout.tsx'

export const Caption = ({ slots, crosshair }: ChartProps) => {
  const position = useCrosshair(crosshair)
  const slot = readSlot(slots, position)
  const time = slot === undefined ? undefined : slots.times[slot]
  const point = slot === undefined ? undefined : slots.points[slot]
  const total = (field: 'count' | 'failed' | 'lost'): number =>
    slots.points.reduce((sum, each) => sum + (each?.[field] ?? 0), 0)
  const lost = total('lost')
  return (
    <div class="caption">
      <p data-testid="read-time">
        {time === undefined ? (
          <span>{slots.isFilled ? 'No closed window in this time range' : 'Loading …'}</span>
        ) : (
          <>
            {position === null ? 'Newest closed window: ' : 'Window at the crosshair: '}
            <b>{formatDateTime(time)}</b> + {formatWindow(slots.windowMs)}
            {point === undefined && ', no data'}
            {point?.complete === false && ', still open: partial result'}
          </>
        )}
      </p>
      <p data-testid="sums">
        Total: <b>{formatCount(total('count'))}</b> calls, <b>{formatCount(total('failed'))}</b> failed,{' '}
        <span class={lost > 0 ? 'bad' : ''}>
          <b>{formatCount(lost)}</b> events lost
        </span>
      </p>
    </div>
  )
}
