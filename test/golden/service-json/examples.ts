import { readdirSync, readFileSync } from 'node:fs'
import { parseServiceJson, type ServiceConfig } from '@eas/service-json'

/** The 25 published shapes beside this file; README.md says where each is from. */
export const examples = readdirSync(import.meta.dirname)
  .filter((file) => /^\d\d-.*\.jsonc?$/.test(file))
  .map((file) => ({ file, text: readFileSync(`${import.meta.dirname}/${file}`, 'utf8') }))

/** The smallest configuration: what every other one shares with it is a default. */
export const smallest: ServiceConfig = parseServiceJson('{"name": "smallest", "metadata": {"instance": 1}}').config

/** What `value` says beyond `base`: values that differ, with objects taken apart. */
export function beyond(value: unknown, base: unknown): unknown {
  if (!isObject(value) || !isObject(base)) return value
  const differing = Object.entries(value)
    .filter(([key, inner]) => JSON.stringify(inner) !== JSON.stringify(base[key]))
    .map(([key, inner]) => [key, beyond(inner, base[key])])
  return Object.fromEntries(differing)
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
