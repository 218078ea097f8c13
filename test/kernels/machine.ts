// Boots a distribution's kernel in qemu, over this system's files, which are read-only below an overlay in the guest's
// memory: installs nothing and leaves nothing. Emulated without acceleration, so that it runs wherever the tests run; a
// program takes about ten times as long.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..', '..')
const buildDir = join(root, 'build', 'kernels')

interface Distribution {
  /** A line of sources.list(5). */
  readonly source: () => string
  /** The package that depends on the newest kernel package. */
  readonly kernel: string
  /** SHA-256 of packages from a source whose key this system does not have. They never change. */
  readonly sha256?: Readonly<Record<string, string>>
}

/** The mirror of this system's own packages. */
const debianMirror = (): string => {
  const targets = execFileSync('apt-get', ['indextargets', '--format', '$(REPO_URI)'], { encoding: 'utf8' })
  const mirror = targets.split('\n').find((uri) => uri.endsWith('/debian/'))
  if (mirror === undefined) throw new Error("apt's sources have no Debian mirror: add one, see sources.list(5)")
  return mirror
}

const distributions: Readonly<Record<string, Distribution>> = {
  '6.1': {
    source: () => `deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${debianMirror()} bookworm main`,
    kernel: 'linux-image-amd64'
  },
  '5.15': {
    source: () => 'deb [trusted=yes] http://archive.ubuntu.com/ubuntu jammy main',
    kernel: 'linux-image-virtual',
    sha256: {
      'busybox-static_1%3a1.30.1-7ubuntu3_amd64.deb':
        '3b7c609b27ceee49ae6a78ae6a0b2435c353dbbe8ffe46897b9ba2d228c4ca0d',
      'linux-image-5.15.0-25-generic_5.15.0-25.25_amd64.deb':
        'ad56f8c442a54d4f5ff2dff010d00321d53e32b543f3a92f3ba4e042d20a71da',
      'linux-modules-5.15.0-25-generic_5.15.0-25.25_amd64.deb':
        'd0ba4087d9e1d497925b3481d3531fba6c2a852855f8019d73b0b1385aa4da1f'
    }
  }
}

/** Modules that the guest needs to mount this system's files. */
const modules = ['virtio_pci', '9pnet_virtio', '9p', 'overlay']
const moduleFolders = ['drivers/virtio', 'net/9p', 'fs/9p', 'fs/netfs', 'fs/fscache', 'fs/overlayfs']

const isInstalled = (command: string): boolean =>
  spawnSync('sh', ['-c', `command -v ${command}`], { stdio: 'ignore' }).status === 0

/** The kernel that RINGSIDE_TEST_KERNEL names, or the reason that none can be booted. */
export const chosenKernel = (): { readonly kernel: string; readonly skip: string | false } => {
  const kernel = process.env['RINGSIDE_TEST_KERNEL'] ?? ''
  const known = Object.keys(distributions).join(' or ')
  const missing = ['qemu-system-x86_64', 'cpio', 'apt-get', 'dpkg-deb'].filter((command) => !isInstalled(command))
  const reason =
    kernel === ''
      ? `boots an older kernel: set RINGSIDE_TEST_KERNEL to ${known}`
      : !(kernel in distributions)
        ? `RINGSIDE_TEST_KERNEL is ${kernel}; it must be ${known}`
        : process.arch !== 'x64'
          ? 'the kernels are for x86-64'
          : missing.length > 0 && `needs ${missing.join(', ')}: apt-get install qemu-system-x86 cpio`
  return { kernel, skip: reason }
}

/** Runs apt with a separate state and a single source. */
const aptFor = (distribution: Distribution, dir: string) => {
  const state = join(dir, 'apt')
  for (const folder of ['lists/partial', 'archives/partial']) mkdirSync(join(state, folder), { recursive: true })
  writeFileSync(join(state, 'status'), '')
  writeFileSync(join(state, 'sources.list'), `${distribution.source()}\n`)
  const settings = [
    `Dir::State=${state}`,
    `Dir::State::status=${state}/status`,
    `Dir::Cache=${state}`,
    `Dir::Etc::SourceList=${state}/sources.list`,
    'Dir::Etc::SourceParts=/dev/null',
    'APT::Architecture=amd64',
    'APT::Sandbox::User=root',
    'Acquire::Languages=none'
  ].flatMap((setting) => ['-o', setting])
  return (command: string, ...args: string[]): string =>
    execFileSync(command, [...settings, '-q', ...args], {
      cwd: dir,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe']
    })
}

const checkSum = (file: string, expected: string | undefined): void => {
  const found = createHash('sha256').update(readFileSync(file)).digest('hex')
  if (found !== expected) throw new Error(`${file} has the SHA-256 ${found}, not ${expected}`)
}

/** Downloads and unpacks the kernel, its modules and a static busybox below `dir`/root. */
const fetchPackages = (distribution: Distribution, dir: string): void => {
  const apt = aptFor(distribution, dir)
  apt('apt-get', 'update')
  const image = /Depends: (linux-image-\d\S+)/.exec(apt('apt-cache', 'depends', distribution.kernel))?.[1]
  if (image === undefined) throw new Error(`${distribution.kernel} depends on no kernel`)
  const depends = apt('apt-cache', 'depends', image)
  const ownModules = /Depends: (linux-modules-\d\S+)/.exec(depends)?.[1]
  apt('apt-get', 'download', image, 'busybox-static', ...(ownModules === undefined ? [] : [ownModules]))
  for (const file of readdirSync(dir).filter((name) => name.endsWith('.deb'))) {
    if (distribution.sha256 !== undefined) checkSum(join(dir, file), distribution.sha256[file])
    execFileSync('dpkg-deb', ['-x', join(dir, file), join(dir, 'root')])
  }
}

/** Writes an initramfs that mounts this system's files and then runs `script`, as PID 1. */
const writeInitramfs = (dir: string, release: string, script: string): string => {
  const [from, tree] = [join(dir, 'root'), join(dir, 'initramfs')]
  rmSync(tree, { recursive: true, force: true })
  const libraries = join('lib/modules', release)
  mkdirSync(join(tree, libraries, 'kernel'), { recursive: true })
  mkdirSync(join(tree, 'bin'))
  for (const folder of moduleFolders) {
    const path = join(libraries, 'kernel', folder)
    if (existsSync(join(from, path))) cpSync(join(from, path), join(tree, path), { recursive: true })
  }
  for (const list of ['modules.order', 'modules.builtin', 'modules.builtin.modinfo']) {
    cpSync(join(from, libraries, list), join(tree, libraries, list))
  }
  cpSync(join(from, 'bin/busybox'), join(tree, 'bin/busybox'))
  cpSync(join(import.meta.dirname, 'init.sh'), join(tree, 'init'))
  chmodSync(join(tree, 'init'), 0o755)
  writeFileSync(join(tree, 'modules'), modules.join('\n'))
  writeFileSync(join(tree, 'guest.sh'), script)
  execFileSync('sh', ['-c', 'find . | cpio -o -H newc --quiet | gzip -1 > ../initramfs.gz'], { cwd: tree })
  return join(dir, 'initramfs.gz')
}

export interface GuestOutcome {
  /** Exit code of the command; null if the guest ended first. */
  readonly code: number | null
  readonly output: string
  /** The end of the kernel's log. */
  readonly console: string
}

/**
 * Boots the kernel and runs one command of this system in the project's folder, as root.
 * @param kernel its version, as chosenKernel returns it
 * @param limitMs the guest is killed after this time
 */
export const runUnderKernel = async (kernel: string, command: string, limitMs: number): Promise<GuestOutcome> => {
  const distribution = distributions[kernel] as Distribution
  const dir = join(buildDir, kernel)
  const boot = join(dir, 'root', 'boot')
  mkdirSync(dir, { recursive: true })
  if (!existsSync(boot)) fetchPackages(distribution, dir)
  const image = readdirSync(boot).find((name) => name.startsWith('vmlinuz-')) ?? ''
  const end = 'ringside-guest-code:'
  const script = [
    `export PATH=${join(process.execPath, '..')}:$PATH HOME=/root NO_COLOR=1 RINGSIDE_TEST_PATIENCE=4`,
    `cd ${root}`,
    `( ${command} ) >/dev/ttyS1 2>&1`,
    `echo "${end}$?" >/dev/ttyS1`
  ]
  const initramfs = writeInitramfs(dir, image.replace('vmlinuz-', ''), script.join('\n'))
  const consoleFile = join(dir, 'console.log')
  const machine = ['-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', '2G', '-nodefaults', '-no-reboot']
  const devices = ['-display', 'none', '-serial', `file:${consoleFile}`, '-serial', 'stdio']
  const share = `local,path=/,mount_tag=host,security_model=none,readonly=on,multidevs=remap`
  const guest = spawn(
    'qemu-system-x86_64',
    [
      ...[...machine, ...devices, '-virtfs', share, '-kernel', join(boot, image), '-initrd', initramfs],
      ...['-append', 'console=ttyS0 panic=-1 quiet']
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] }
  )
  let output = ''
  guest.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const limit = setTimeout(() => guest.kill('SIGKILL'), limitMs)
  await once(guest, 'close')
  clearTimeout(limit)
  const at = output.lastIndexOf(end)
  return {
    code: at < 0 ? null : Number.parseInt(output.slice(at + end.length), 10),
    output: (at < 0 ? output : output.slice(0, at)).replaceAll('\r', ''),
    console: readFileSync(consoleFile, 'utf8').slice(-4000)
  }
}
