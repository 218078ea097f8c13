// Keeps the focus on a row that moves within its list: the browser removes the focus from a moved element.
import { useLayoutEffect, useRef } from 'preact/hooks'

/** @returns props of the element around the rows */
export const useKeptFocus = () => {
  const focused = useRef<HTMLElement>(undefined)
  useLayoutEffect(() => {
    const isLost = document.activeElement === document.body
    if (isLost && focused.current?.isConnected) focused.current.focus({ preventScroll: true })
  })
  return {
    onFocusIn: ({ target }: FocusEvent) => {
      if (target instanceof HTMLElement) focused.current = target
    },
    onFocusOut: () => {
      focused.current = undefined
    }
  }
}
