// A bpffs for tests, in a folder of their own: no test depends on one that the machine has, or leaves anything in it.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Why none can be mounted, or false: for the `skip` of a suite. */
export const bpffsMissing = (): string | false => {
  const mounts = spawnSync('unshare', ['--mount', 'mount', '-t', 'bpf', 'bpf', tmpdir()], { encoding: 'utf8' })
  return mounts.status === 0 ? false : `cannot mount a bpffs: ${(mounts.error?.message ?? mounts.stderr).trim()}`
}

export interface Bpffs {
  readonly folder: string
  /** Removes what is pinned, too. */
  unmount(): void
}

export const mountBpffs = (): Bpffs => {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-bpffs-'))
  execFileSync('mount', ['-t', 'bpf', '-o', 'mode=700', 'bpf', folder])
  return {
    folder,
    unmount: () => {
      // Lazily: an edge that was killed a moment ago may still be in it.
      execFileSync('umount', ['--lazy', folder])
      rmdirSync(folder)
    }
  }
}

/** A folder for the pins of one test's edges, which goes with it. */
export const pinFolder = (context: { after(end: () => void): void }): string => {
  const { folder, unmount } = mountBpffs()
  context.after(unmount)
  return join(folder, 'pins')
}
