// Where this machine mounts its cgroup hierarchies.
import { readFileSync } from 'node:fs'

/** Where a cgroup hierarchy is mounted, by its type and, for v1, a controller of it; undefined where none is. */
export const cgroupMount = (type: 'cgroup' | 'cgroup2', controller = ''): string | undefined =>
  readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .find(
      ([, , found, options = '']) => found === type && (controller === '' || options.split(',').includes(controller))
    )?.[1]
