// Gives components the page's controller.
import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Controller } from './controller.ts'

const ControllerContext = createContext<Controller | null>(null)

export const ControllerProvider = ControllerContext.Provider

/** @throws Error outside of a ControllerProvider */
export const useController = (): Controller => {
  const controller = useContext(ControllerContext)
  if (controller === null) throw new Error('useController() needs a ControllerProvider around the component')
  return controller
}
