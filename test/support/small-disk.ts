// A small file system for tests of a full disk, in a folder of its own. Mounting it needs root.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Why none can be mounted, or false: for the `skip` of a test. */
export const smallDiskMissing = (): string | false => {
  const mount = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', tmpdir()], { encoding: 'utf8' })
  return mount.status === 0 ? false : `cannot mount a small disk: ${(mount.error?.message ?? mount.stderr).trim()}`
}

export interface SmallDisk {
  readonly folder: string
  /** Takes all room but `leftBytes`. */
  fill(leftBytes?: number): void
  /** Frees what fill() took. */
  empty(): void
}

export const mountSmallDisk = (context: { after(end: () => void): void }, bytes: number): SmallDisk => {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder], { stdio: 'pipe' })
  context.after(() => {
    // Lazily: hooks run in order, and files may be closed by later ones.
    execFileSync('umount', ['--lazy', folder])
    rmdirSync(folder)
  })
  const ballast = join(folder, 'ballast')
  return {
    folder,
    fill: (leftBytes = 0) => {
      const { bavail, bsize } = statfsSync(folder)
      writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - leftBytes)), { flag: 'a' })
    },
    empty: () => rmSync(ballast, { force: true })
  }
}
