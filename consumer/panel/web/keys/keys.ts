// The keys that the page takes, in the order in which its help shows them. Pure.

export const actions = [
  ['live', 'l', 'live, or paused at this moment'],
  ['range-0', '1', 'the last 5 minutes'],
  ['range-1', '2', 'the last 15 minutes'],
  ['range-2', '3', 'the last 2 hours'],
  ['range-3', '4', 'the last 24 hours'],
  ['host', 'h', 'choose a host'],
  ['workload', 'w', 'choose a workload'],
  ['call', 'c', 'choose a call'],
  ['clear', 'x', 'look at everything'],
  ['group', 'g', 'top talkers by the next kind'],
  ['next', 'j', 'next row of the table'],
  ['previous', 'k', 'previous row'],
  ['earlier', 'ArrowLeft', 'crosshair one window back'],
  ['later', 'ArrowRight', 'crosshair one window on'],
  ['search', '/', 'search the audit log'],
  ['theme', 't', 'next theme'],
  ['help', '?', 'this list of keys'],
  ['leave', 'Escape', 'leave a field, take the crosshair away']
] as const satisfies readonly (readonly [string, string, string])[]

export type Action = (typeof actions)[number][0]

export interface Pressed {
  readonly key: string
  readonly ctrlKey: boolean
  readonly altKey: boolean
  readonly metaKey: boolean
}

/** @param isInField what is typed belongs to a field: only Escape is taken */
export const actionOf = ({ key, ctrlKey, altKey, metaKey }: Pressed, isInField: boolean): Action | undefined => {
  if (ctrlKey || altKey || metaKey || (isInField && key !== 'Escape')) return undefined
  return actions.find(([, taken]) => taken === key)?.[0]
}

/** How a key is called on the keyboard. */
export const keyName = (key: string): string => ({ ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc' })[key] ?? key
