// Performs the action of a key pressed anywhere on the page.
import { useEffect } from 'preact/hooks'
import type { Crosshair } from '../charts/crosshair.ts'
import type { Controller } from '../state/controller.ts'
import { ranges } from '../state/ranges.ts'
import { topGroups } from '../state/view.ts'
import { type Action, actionOf } from './keys.ts'

const isField = (target: EventTarget | null): boolean =>
  target instanceof HTMLInputElement || target instanceof HTMLSelectElement || target instanceof HTMLTextAreaElement

/** Moves the focus within its table, else to the first row of the first table. */
const moveRow = (by: 1 | -1): void => {
  const table = document.activeElement?.closest('[data-rows]') ?? document.querySelector('[data-rows]')
  const rows = [...(table?.querySelectorAll<HTMLElement>('[data-row]') ?? [])]
  const index = rows.findIndex((row) => row.contains(document.activeElement))
  const next = index === -1 ? 0 : Math.min(rows.length - 1, Math.max(0, index + by))
  rows[next]?.focus()
}

const focus = (selector: string): void => document.querySelector<HTMLElement>(selector)?.focus()

interface KeyOptions {
  readonly crosshair: Crosshair
  readonly slots: number
  onTheme(): void
  onHelp(): void
}

export const useKeys = (controller: Controller, { crosshair, slots, onTheme, onHelp }: KeyOptions): void => {
  useEffect(() => {
    const range = (index: number) => () => controller.choose({ range: ranges[index] ?? controller.view.range })
    const perform: Readonly<Record<Action, () => void>> = {
      live: () => controller.toggleLive(),
      'range-0': range(0),
      'range-1': range(1),
      'range-2': range(2),
      'range-3': range(3),
      host: () => focus('[data-filter=host]'),
      workload: () => focus('[data-filter=workload]'),
      call: () => focus('[data-filter=call]'),
      clear: () => controller.choose({ filter: {} }),
      group: () => {
        const index = topGroups.indexOf(controller.view.by as (typeof topGroups)[number])
        controller.choose({ by: topGroups[(index + 1) % topGroups.length] ?? 'workload' })
      },
      next: () => moveRow(1),
      previous: () => moveRow(-1),
      earlier: () => crosshair.step(-1, slots),
      later: () => crosshair.step(1, slots),
      search: () => focus('.audit [name=program]'),
      theme: onTheme,
      help: onHelp,
      leave: () => {
        crosshair.move(null)
        if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
      }
    }
    const press = (event: KeyboardEvent): void => {
      const action = document.querySelector('dialog[open]') ? undefined : actionOf(event, isField(event.target))
      if (action === undefined) return
      event.preventDefault()
      perform[action]()
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [controller, crosshair, slots, onTheme, onHelp])
}
