// Text that others named (threads, files, hosts) as terminals, logs and pages show it: nothing that moves the cursor, hides
// or reorders text, and no more than a bounded length.

/** Longer than every name but paths, which have up to 4 KiB. */
const maxTextLength = 1000

// Controls (C0, DEL, C1), bidirectional and other format characters, line separators, lone surrogates, and all that has
// no glyph.
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

const escaped = (character: string): string => {
  const code = (character.codePointAt(0) as number).toString(16)
  return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u{${code}}`
}

/** The text, or its beginning with an ellipsis; never half of a surrogate pair. */
export const cutText = (text: string, maxLength: number): string => {
  if (text.length <= maxLength) return text
  if (maxLength < 1) return ''
  const kept = text.slice(0, maxLength - 1)
  return `${/[\ud800-\udbff]$/.test(kept) ? kept.slice(0, -1) : kept}…`
}

/** One line of text with visible escapes, such as \x1b and \u{202e}. Printable text is returned as it is. */
export const printable = (text: string, maxLength: number = maxTextLength): string =>
  cutText(cutText(text, maxLength).replace(unprintable, escaped), maxLength)

/** As printable(), for a text whose line breaks are Ringside's own. */
export const printableLines = (text: string, maxLength: number = maxTextLength): string =>
  text
    .split('\n')
    .map((line) => printable(line, maxLength))
    .join('\n')

const escapedUnits = (character: string): string =>
  character.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** One line of JSON with the same value as JSON.stringify(): escapes also what JSON allows and a terminal interprets. */
export const printableJson = (value: unknown): string => JSON.stringify(value).replace(unprintable, escapedUnits)

/** A copy whose texts are printable, at any depth. Stacks keep their lines. */
export const printableValues = (value: unknown, name = ''): unknown => {
  if (typeof value === 'string') return name === 'stack' ? printableLines(value) : printable(value)
  if (Array.isArray(value)) return value.map((each) => printableValues(each))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [printable(key), printableValues(each, key)]))
}
