// Suggestions for a mistyped name.
import { distance } from 'fastest-levenshtein'

/** At most `count` of the names, those with the fewest letters to change first. */
export const nearestNames = (word: string, names: readonly string[], count = 3): string[] =>
  names
    .map((name) => ({ name, edits: distance(word, name) }))
    .toSorted((a, b) => a.edits - b.edits || (a.name < b.name ? -1 : 1))
    .slice(0, count)
    .map(({ name }) => name)
