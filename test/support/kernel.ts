// Whether the tests that load programs into the live kernel can run here, and if not, why.
import { existsSync } from 'node:fs'

const reason = (): string | undefined => {
  if (process.platform !== 'linux') return 'needs Linux'
  if (process.getuid?.() !== 0) return 'needs root'
  if (!existsSync('/sys/kernel/btf/vmlinux')) return 'needs a kernel with BTF (/sys/kernel/btf/vmlinux)'
  return undefined
}

const missing = reason()

/** `skip: kernelTests.skip` in a test's options. */
export const kernelTests: { readonly skip: string | false } = {
  skip: missing === undefined ? false : `kernel test: ${missing}`
}
