// Checks the project's language against its glossary (docs/concepts.md): prints every line with a word that the glossary
// replaces, and exits with 1 if there is one. Arguments limit the check to files and folders. Words and exceptions:
// scripts/words.yaml.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

interface Words {
  /** Regular expression of whole words, in any case → the replacement. */
  readonly words: Readonly<Record<string, string>>
  /** Paths that are not checked: a file, or a folder with a slash at the end. */
  readonly skip: readonly string[]
  /** Lines that may have a word, each with the reason. */
  readonly exceptions: readonly { readonly file: string; readonly text: string; readonly reason: string }[]
}

const root = join(import.meta.dirname, '..')
const { words, skip, exceptions } = parse(readFileSync(join(root, 'scripts/words.yaml'), 'utf8')) as Words
const rules = Object.entries(words).map(([word, instead]) => ({
  pattern: new RegExp(`\\b(?:${word})\\b`, 'i'),
  instead
}))

/** Splits camelCase and snake_case, so that words within identifiers are found. */
const asWords = (line: string): string => line.replace(/([a-z])([A-Z])/g, '$1 $2').replaceAll('_', ' ')

const named = process.argv.slice(2)
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z', ...named], {
  cwd: root,
  encoding: 'utf8'
})
  .split('\0')
  .filter((file) => file !== '' && !skip.some((path) => (path.endsWith('/') ? file.startsWith(path) : file === path)))

const used = new Set<object>()
let found = 0
for (const file of files) {
  let text: string
  try {
    text = readFileSync(join(root, file), 'utf8')
  } catch {
    continue
  }
  if (text.includes('\0')) continue
  for (const [index, line] of text.split('\n').entries()) {
    const spaced = asWords(line)
    for (const { pattern, instead } of rules) {
      const match = pattern.exec(spaced)
      if (match === null) continue
      const exception = exceptions.find((each) => each.file === file && line.includes(each.text))
      if (exception !== undefined) {
        used.add(exception)
        continue
      }
      found++
      process.stdout.write(`${file}:${index + 1}: "${match[0]}": ${instead}\n    ${line.trim().slice(0, 160)}\n`)
    }
  }
}
for (const exception of exceptions) {
  if (named.length > 0 || used.has(exception)) continue
  found++
  process.stdout.write(`scripts/words.yaml: no line needs the exception for ${exception.file}, "${exception.text}"\n`)
}
process.exitCode = found > 0 ? 1 : 0
