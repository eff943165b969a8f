/** JSON from outside: any value, read through functions that never throw on another shape. */
export type Json = unknown

/** A member of an object; `undefined` for anything else. */
export function member(value: Json, name: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name))
    return undefined
  return (value as Readonly<Record<string, Json>>)[name] // an object's own member
}

/** A member of a member … */
export const at = (value: Json, ...names: readonly string[]): Json => names.reduce(member, value)

/** A text, or `undefined`. */
export const text = (value: Json): string | undefined => (typeof value === 'string' ? value : undefined)

/** A list; empty for anything else. */
export const list = (value: Json): readonly Json[] => (Array.isArray(value) ? value : [])

/** A number, or the text of one, as sizes come from Google. */
export function number(value: Json): number | undefined {
  const parsed = typeof value === 'string' && value !== '' ? Number(value) : value
  return typeof parsed === 'number' && Number.isFinite(parsed) ? parsed : undefined
}

/** `undefined` when a text is not JSON. */
export function parsed(value: string): Json {
  try {
    return JSON.parse(value)
  } catch {
    return undefined
  }
}
