// The configuration as text for `--print-config`, without secrets.
import { stringify } from 'yaml'
import type { Config } from './config.ts'

const secretName = /password|secret|token|credential|privatekey/i

const redacted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(redacted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, setting]) => [
      name,
      secretName.test(name) && setting !== undefined ? '<redacted>' : redacted(setting)
    ])
  )
}

/** YAML that loadConfig() can read. Settings whose names suggest a secret are redacted. */
export const printableConfig = (config: Config): string => stringify(redacted(config)).trimEnd()
