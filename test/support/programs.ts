// Compilers for the programs that tests load, run or observe.
import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const libbpf = join(root, 'native/third_party/libbpf')

export const isInstalled = (command: string): boolean =>
  spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0

/** The newest clang, as scripts/build.sh finds it. */
const clang = [...[22, 21, 20, 19, 18, 17, 16, 15, 14].map((version) => `clang-${version}`), 'clang'].find(isInstalled)

/** Names those of the commands that are not installed, or false: for the `skip` of a test. */
export const commandsMissing = (...commands: readonly string[]): string | false => {
  const missing = commands.filter((command) => !isInstalled(command))
  return missing.length > 0 && `needs ${missing.join(', ')}: sh scripts/setup.sh test`
}

/** Compiles a program for the kernel against the libbpf that came with the project. */
export const compileBpf = (source: string, output: string): void => {
  const target = `__TARGET_ARCH_${process.arch === 'arm64' ? 'arm64' : 'x86'}`
  const flags = ['-O2', '-g', '-target', 'bpf', '-mcpu=v3', `-D${target}`, '-Wall', `-I${join(libbpf, 'src')}`]
  execFileSync(clang ?? 'clang', [...flags, '-c', source, '-o', output])
}

/** Compiles a program in C that loads BPF programs. */
export const compileLoader = (source: string, output: string): void => {
  const include = ['-isystem', join(libbpf, 'src'), '-isystem', join(libbpf, 'include/uapi')]
  const libraries = [join(root, 'build/libbpf.a'), '-lelf', '-lz']
  execFileSync('gcc', ['-O2', '-Wall', ...include, source, ...libraries, '-o', output])
}
