// The keys of the page, in the order of its help. Pure.

export const actions = [
  ['live', 'l', 'pause, or continue live'],
  ['range-0', '1', 'show the last 5 minutes'],
  ['range-1', '2', 'show the last 15 minutes'],
  ['range-2', '3', 'show the last 2 hours'],
  ['range-3', '4', 'show the last 24 hours'],
  ['host', 'h', 'choose a host'],
  ['workload', 'w', 'choose a workload'],
  ['call', 'c', 'choose a call'],
  ['clear', 'x', 'clear all filters'],
  ['group', 'g', 'group top talkers by the next kind'],
  ['next', 'j', 'next row of the table'],
  ['previous', 'k', 'previous row'],
  ['earlier', 'ArrowLeft', 'move the crosshair one window back'],
  ['later', 'ArrowRight', 'move the crosshair one window forward'],
  ['search', '/', 'search the audit log'],
  ['theme', 't', 'switch to the next theme'],
  ['help', '?', 'show the keys'],
  ['leave', 'Escape', 'leave a field, remove the crosshair']
] as const satisfies readonly (readonly [string, string, string])[]

export type Action = (typeof actions)[number][0]

export interface Pressed {
  readonly key: string
  readonly ctrlKey: boolean
  readonly altKey: boolean
  readonly metaKey: boolean
}

/** @param isInField the focus is in an input field: only Escape is an action */
export const actionOf = ({ key, ctrlKey, altKey, metaKey }: Pressed, isInField: boolean): Action | undefined => {
  if (ctrlKey || altKey || metaKey || (isInField && key !== 'Escape')) return undefined
  return actions.find(([, actionKey]) => actionKey === key)?.[0]
}

/** The label on the keyboard. */
export const keyName = (key: string): string => ({ ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc' })[key] ?? key
