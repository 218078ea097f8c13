// Rows that change places would lose the focus, as the browser takes it from an element that is moved.
import { useLayoutEffect, useRef } from 'preact/hooks'

/** @returns what the element around the rows is given */
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
