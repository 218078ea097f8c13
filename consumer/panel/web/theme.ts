// The theme, the system's unless the user chose one, and the style sheet's colours for painting on a canvas.
import { levels } from './charts/heat-map.ts'

export const themes = ['auto', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

const key = 'ringside.theme'

export const storedTheme = (): Theme => themes.find((theme) => theme === localStorage.getItem(key)) ?? 'auto'

export const applyTheme = (theme: Theme): void => {
  document.documentElement.dataset['theme'] = theme
  localStorage.setItem(key, theme)
}

const darkQuery = matchMedia('(prefers-color-scheme: dark)')

export const isDark = (theme: Theme): boolean => (theme === 'auto' ? darkQuery.matches : theme === 'dark')

export const onSchemeChange = (listener: () => void): (() => void) => {
  darkQuery.addEventListener('change', listener)
  return () => darkQuery.removeEventListener('change', listener)
}

const painted = [
  'text',
  'dim',
  'line',
  'grid',
  'calls',
  'fill',
  'failed',
  'share',
  'p50',
  'p95',
  'p99',
  'lost'
] as const

export type Colours = Readonly<Record<(typeof painted)[number], string>> & {
  /** From the fewest calls to the most. */
  readonly heat: readonly string[]
}

/** Equal steps of lightness in OKLCH look equal. The ramp leads away from the background in both themes. */
const heatRamp = (dark: boolean): string[] =>
  Array.from({ length: levels }, (_, level) => {
    const part = level / (levels - 1)
    const lightness = dark ? 0.3 + 0.62 * part : 0.93 - 0.6 * part
    const hue = 262 - 172 * part
    return `oklch(${lightness.toFixed(3)} ${(0.09 + 0.06 * Math.sin(Math.PI * part)).toFixed(3)} ${(dark ? hue : 250 + 60 * part).toFixed(1)})`
  })

/** The computed colours of the applied theme. */
export const readColours = (dark: boolean): Colours => {
  const probe = document.createElement('span')
  document.body.append(probe)
  const colours = painted.map((name) => {
    probe.style.color = `var(--${name})`
    return [name, getComputedStyle(probe).color]
  })
  probe.remove()
  return { ...Object.fromEntries(colours), heat: heatRamp(dark) } as Colours
}
