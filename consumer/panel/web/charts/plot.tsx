// A uPlot in a component: made anew for another theme, given data and limits when these change, as wide as its place is.
// Its crosshair is the page's one.
import { useEffect, useRef } from 'preact/hooks'
import uPlot from 'uplot'
import type { Colours } from '../theme.ts'
import { timeTick } from './axis.ts'
import type { Crosshair } from './crosshair.ts'
import { middles, type Slots } from './slots.ts'

export interface PlotProps {
  readonly label: string
  readonly testId: string
  readonly height: number
  readonly slots: Slots
  /** One for each series of the options but the first, as long as the slots. */
  readonly values: readonly (readonly (number | null)[])[]
  readonly colours: Colours
  readonly crosshair: Crosshair
  /** Made once for each theme: what it reads of the data it reads through `latest`. */
  readonly options: (
    colours: Colours,
    latest: () => Slots
  ) => Pick<uPlot.Options, 'series' | 'scales' | 'axes' | 'hooks'>
  /** Pixels that are left free at the right, where a chart below has an axis: so times stand above each other. */
  readonly freeRight?: number
  /** Whether the crosshair says which octave the pointer is at. */
  readonly hasOctaves?: boolean
}

/** Half of the last time's width. */
const padRight = 18
const font = '11px ui-sans-serif, system-ui, sans-serif'

/** What all axes look like. */
export const axis = (colours: Colours, more: uPlot.Axis): uPlot.Axis => ({
  stroke: colours.dim,
  font,
  grid: { stroke: colours.grid, width: 1 },
  ticks: { show: false },
  gap: 4,
  ...more
})

/** Marks the windows in which events were lost: over the whole height, or at the top alone. */
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
  const place = useRef<HTMLDivElement>(null)
  const plot = useRef<uPlot>(undefined)
  const latest = useRef(props)
  latest.current = props
  const { colours, crosshair, slots, values, height, label, testId } = props

  useEffect(() => {
    const target = place.current as HTMLDivElement
    const options = latest.current.options(colours, () => latest.current.slots)
    const made = new uPlot(
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
            // Wide enough for times with seconds, where a chart has room for such ticks.
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
    plot.current = made
    const leave = (): void => crosshair.move(null)
    made.over.addEventListener('mouseleave', leave)
    const stopFollowing = crosshair.onMove(() => {
      const slot = crosshair.place?.slot
      const time = slot === undefined ? undefined : made.data[0][slot]
      made.setCursor({ left: time === undefined ? -10 : made.valToPos(time, 'x'), top: made.cursor.top ?? 0 }, false)
    })
    const observer = new ResizeObserver(() => made.setSize({ width: target.clientWidth, height }))
    observer.observe(target)
    return () => {
      observer.disconnect()
      stopFollowing()
      made.destroy()
    }
  }, [colours, crosshair, height, props.freeRight])

  useEffect(() => {
    const { current } = plot
    current?.batch(() => {
      current.setData(alignedData(slots, values), true)
      current.setScale('x', { min: slots.fromMs / 1000, max: slots.toMs / 1000 })
    })
  }, [slots, values, colours])

  return <div ref={place} class="plot" role="img" aria-label={label} data-testid={testId} />
}
