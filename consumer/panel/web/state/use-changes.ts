// Renders a component again each time its source changes.
import { useEffect, useReducer } from 'preact/hooks'

interface Source {
  onChange(listener: () => void): () => void
}

export const useChanges = (source: Source): void => {
  const [, render] = useReducer((count: number, _: undefined) => count + 1, 0)
  useEffect(() => source.onChange(() => render(undefined)), [source])
}
