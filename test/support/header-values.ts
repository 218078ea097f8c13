// Values of macros and enumerators, as a C compiler finds them in the installed kernel headers.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * @param headers in the order in which they are included
 * @param names macros; one that the headers lack is missing in the result
 */
export const headerValues = (headers: readonly string[], names: readonly string[]): Map<string, number> => {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-test-'))
  try {
    const print = (name: string): string => `#ifdef ${name}\nprintf("${name} %u\\n", (unsigned)(${name}));\n#endif\n`
    const includes = ['stdio.h', ...headers].map((header) => `#include <${header}>\n`).join('')
    const source = `${includes}int main(void) {\n${names.map(print).join('')}return 0; }\n`
    const program = join(folder, 'values')
    execFileSync('gcc', ['-x', 'c', '-', '-o', program], { input: source })
    const lines = spawnSync(program, { encoding: 'utf8' }).stdout.trim().split('\n')
    return new Map(lines.map((line) => [line.split(' ')[0] as string, Number(line.split(' ')[1])]))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
