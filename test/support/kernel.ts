// Whether the tests that load programs into the live kernel can run here, and if not, why.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

const reason = (): string | undefined => {
  if (process.platform !== 'linux') return 'needs Linux'
  if (process.getuid?.() !== 0) return 'needs root'
  if (!existsSync('/sys/kernel/btf/vmlinux')) return 'needs a kernel with BTF (/sys/kernel/btf/vmlinux)'
  if (!existsSync(join(root, 'build/ringside.bpf.o'))) return 'needs build/ringside.bpf.o: npm run build'
  return undefined
}

const missing = reason()

/** `skip: kernelTests.skip` in a test's options. */
export const kernelTests: { readonly skip: string | false } = {
  skip: missing === undefined ? false : `kernel test: ${missing}`
}

/** Limit for the tests of one file, which take 10 s on an idle machine; RINGSIDE_TEST_PATIENCE multiplies it. */
export const kernelTimeoutMs = 180_000 * Number(process.env['RINGSIDE_TEST_PATIENCE'] ?? 1)

/** Why another user cannot run this code, or false: for the `skip` of tests that do so as `nobody`. */
export const privateCode = (): string | false => {
  const file = join(root, 'package.json')
  const asNobody = ['--reuid=65534', '--regid=65534', '--clear-groups', 'test', '-r', file]
  return spawnSync('setpriv', asNobody).status === 0
    ? false
    : `the user nobody may not read ${file}: chmod o+rX its folders`
}
