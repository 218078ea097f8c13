// The paths of a row as one text for people, in the table of `tail` and on the panel.
import type { AuditRecord } from './types.ts'

/** Marks a file without a name, and the other name that a file was opened by; null without a path. */
export const pathText = (row: Pick<AuditRecord, 'path' | 'path_to' | 'path_given' | 'path_deleted'>): string | null => {
  if (row.path === null) return null
  const path = row.path_deleted ? `${row.path} (deleted)` : row.path
  if (row.path_to !== null) return `${path} → ${row.path_to}`
  return row.path_given === null ? path : `${path} (as ${row.path_given})`
}
