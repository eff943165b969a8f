import type { ValueType } from './value-types.ts'

/**
 * What becomes of a key:
 * `use` the processor acts on it, `map` it becomes a setting of the platform when a service is deployed, `warn` it has
 * no effect here and a warning says so, `ignore` it has no effect and needs none, `refuse` a service with it cannot be
 * served here.
 */
export type Fate = 'use' | 'map' | 'warn' | 'ignore' | 'refuse'

/** One key of `service.json`. */
export interface KeyRow<T = unknown, D extends T | undefined = T | undefined> {
  readonly fate: Fate
  readonly type: ValueType<T>
  readonly meaning: string
  /** Value when the key is absent, `null` or `""`. */
  readonly default?: D | undefined
  /** Why a key has no effect or is refused. Rows with the same note are reported together; a row without one as its section. */
  readonly note?: string
  /** Its value is never shown. */
  readonly secret?: boolean
  /** Must be there whenever the object around it is. */
  readonly required?: boolean
}

export type KeyTable = Readonly<Record<string, KeyRow>>

/** What a table gives for one of its keys. */
export type ValueOf<R> = R extends KeyRow<infer T, infer D> ? (undefined extends D ? T | undefined : T) : never

interface More<D> {
  default?: D
  secret?: boolean
  required?: boolean
}

/** A row whose key acts, needs no word, or stands in a section whose own row has the word. */
export const row =
  (fate: Fate) =>
  <T, const D extends T | undefined = undefined>(
    type: ValueType<T>,
    meaning: string,
    more?: More<D>,
  ): KeyRow<T, D> => ({ fate, type, meaning, ...more })

/** A row whose key has no effect or cannot be served, and why. */
export const notedRow =
  (fate: 'warn' | 'refuse') =>
  <T, const D extends T | undefined = undefined>(
    type: ValueType<T>,
    meaning: string,
    note: string,
    more?: More<D>,
  ): KeyRow<T, D> => ({ fate, type, meaning, note, ...more })
