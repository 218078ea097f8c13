// A uPlot in a component. It is created again for another theme, gets new data and limits when they change, and is as
// wide as its parent.
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import type { Colours } from '../theme.ts'
import { timeTick } from './axis.ts'
import type { Crosshair } from './crosshair.ts'
import { axis } from './plot-options.ts'
import { middles, type Slots } from './slots.ts'

export interface PlotProps {
  /** Description for screen readers. */
  readonly label: string
  readonly testId: string
  readonly slots: Slots
  /** One list per series of the options except the first, each as long as the slots. */
  readonly values: readonly (readonly (number | null)[])[]
  readonly colours: Colours
  readonly crosshair: Crosshair
  /** Called once per theme; the options read current data through `latest`. */
  readonly options: (
    colours: Colours,
    latest: () => Slots
  ) => Pick<uPlot.Options, 'series' | 'scales' | 'axes' | 'hooks'>
  /** Pixels left free at the right, where a chart below has an axis, so that the time axes are aligned. */
  readonly freeRight?: number
  /** The crosshair also holds the octave under the pointer. */
  readonly hasOctaves?: boolean
}

const height = 168
/** Half the width of the last time label. */
const padRight = 18

/** Marks the windows with lost events: over the whole height behind the data, or only at the top. */
const markLost =
  (colours: Colours, latest: () => Slots, where: 'behind' | 'top') =>
  (plot: uPlot): void => {
    const { points, times, windowMs } = latest()
    const { ctx, bbox } = plot
    ctx.save()
    ctx.fillStyle = colours.lost
    ctx.globalAlpha = where === 'behind' ? 0.25 : 1
    const height = where === 'behind' ? bbox.height : 4 * uPlot.pxRatio
    for (const [slot, point] of points.entries()) {
      if (point === undefined || point.lost === 0) continue
      const from = plot.valToPos((times[slot] as number) / 1000, 'x', true)
      const to = plot.valToPos(((times[slot] as number) + windowMs) / 1000, 'x', true)
      ctx.fillRect(from, bbox.top, Math.max(2 * uPlot.pxRatio, to - from), height)
    }
    ctx.restore()
  }

const alignedData = (slots: Slots, values: PlotProps['values']): uPlot.AlignedData =>
  [middles(slots), ...values] as uPlot.AlignedData

export const Plot = (props: PlotProps) => {
  const element = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const latest = useRef(props)
  latest.current = props
  const { colours, crosshair, slots, values, label, testId } = props

  useEffect(() => {
    const target = element.current as HTMLDivElement
    const options = latest.current.options(colours, () => latest.current.slots)
    const created = new uPlot(
      {
        width: target.clientWidth,
        height,
        legend: { show: false },
        padding: [8, padRight + (props.freeRight ?? 0), 0, 0],
        cursor: {
          drag: { x: false, y: false },
          points: { show: false },
          y: false,
          move: (self, left, top) => {
            const time = self.data[0][self.posToIdx(left)]
            return left < 0 || time === undefined ? [left, top] : [self.valToPos(time, 'x'), top]
          }
        },
        ...options,
        scales: { x: { time: true, auto: false }, ...options.scales },
        axes: [
          axis(colours, {
            // Room for labels with seconds where the chart is wide enough for them.
            space: (_, __, ___, ____, width) => (width < 400 ? 44 : 62),
            size: 22,
            values: (_, ticks, __, ___, step) => ticks.map((tick) => timeTick(tick, step))
          }),
          ...(options.axes ?? [])
        ],
        hooks: {
          ...options.hooks,
          drawClear: [markLost(colours, () => latest.current.slots, 'behind')],
          draw: [...(options.hooks?.draw ?? []), markLost(colours, () => latest.current.slots, 'top')],
          setCursor: [
            (self) => {
              const { left = -1, top = -1, idx } = self.cursor
              if (left < 0 || idx === null || idx === undefined) return
              const octave = latest.current.hasOctaves ? Math.floor(self.posToVal(top, 'y')) : null
              crosshair.move({ slot: idx, octave })
            }
          ]
        }
      },
      alignedData(latest.current.slots, latest.current.values),
      target
    )
    plot.current = created
    const leave = (): void => crosshair.move(null)
    created.over.addEventListener('mouseleave', leave)
    const stopFollowing = crosshair.onChange(() => {
      const slot = crosshair.position?.slot
      const time = slot === undefined ? undefined : created.data[0][slot]
      created.setCursor(
        { left: time === undefined ? -10 : created.valToPos(time, 'x'), top: created.cursor.top ?? 0 },
        false
      )
    })
    const observer = new ResizeObserver(() => created.setSize({ width: target.clientWidth, height }))
    observer.observe(target)
    return () => {
      observer.disconnect()
      stopFollowing()
      created.destroy()
    }
  }, [colours, crosshair, props.freeRight])

  useEffect(() => {
    const { current } = plot
    current?.batch(() => {
      current.setData(alignedData(slots, values), true)
      current.setScale('x', { min: slots.fromMs / 1000, max: slots.toMs / 1000 })
    })
  }, [slots, values, colours])

  return <div ref={element} class="plot" role="img" aria-label={label} data-testid={testId} />
}
