// What ties components to the controller: they render anew when it says that something changed.
import { createContext } from 'preact'
import { useContext, useEffect, useReducer } from 'preact/hooks'
import type { Controller } from './controller.ts'

const ControllerContext = createContext<Controller | null>(null)

export const ControllerProvider = ControllerContext.Provider

/** @throws Error outside of a ControllerProvider */
export const useController = (): Controller => {
  const controller = useContext(ControllerContext)
  if (controller === null) throw new Error('a component of the panel stands outside of its ControllerProvider')
  return controller
}

/** Likewise, and renders the component anew with each change: for the root alone. */
export const useChanges = (controller: Controller): void => {
  const [, render] = useReducer((count: number, _: undefined) => count + 1, 0)
  useEffect(() => controller.onChange(() => render(undefined)), [controller])
}
