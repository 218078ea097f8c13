// What ties components to the controller: they render anew when it says that something changed.
import { createContext } from 'preact'
import { useContext, useEffect, useReducer } from 'preact/hooks'
import type { Panel } from './panel.ts'

const PanelContext = createContext<Panel | null>(null)

export const PanelProvider = PanelContext.Provider

/** @throws Error outside of a PanelProvider */
export const usePanel = (): Panel => {
  const panel = useContext(PanelContext)
  if (panel === null) throw new Error('a component of the panel stands outside of its PanelProvider')
  return panel
}

/** Likewise, and renders the component anew with each change: for the root alone. */
export const useChanges = (panel: Panel): void => {
  const [, render] = useReducer((count: number, _: undefined) => count + 1, 0)
  useEffect(() => panel.onChange(() => render(undefined)), [panel])
}
