// The workload of a process: its container, else its executable, else its thread name.
import type { Process } from './types.ts'

export const workloadOf = ({ container_id, exe, comm }: Pick<Process, 'container_id' | 'exe' | 'comm'>): string =>
  container_id ?? exe ?? comm
