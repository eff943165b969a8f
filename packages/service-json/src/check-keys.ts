import { oneLine } from '@eas/base'
import { comparePositions, type Findings, type Position } from './config-error.ts'
import { type JsonEntry, type JsonNode, joinPath, toPlain } from './jsonc.ts'
import type { KeyRow, KeyTable, ValueOf } from './key-row.ts'
import { nearest } from './nearest.ts'

/** A value that was read: where it stands, and the table key it belongs to. */
interface Found {
  readonly key: string
  readonly path: string
  readonly at: Position
  readonly node: JsonNode
  readonly value: unknown
}

/** An object or list that the file has, or that a flat key implies. */
interface Section {
  readonly key: string
  readonly path: string
  readonly at: Position
  /** Objects or keys in it; 0 for one that is only implied. */
  readonly size: number
}

/** The values of a file by the keys of its table. */
export interface CheckedKeys<T extends KeyTable> {
  /** The value, or the row's default. `indexes` fill the `[]` of the key from left to right. */
  get<K extends keyof T & string>(key: K, ...indexes: readonly number[]): ValueOf<T[K]>
  /** Where the value stands; `undefined` when the file does not have it. */
  at(key: keyof T & string, ...indexes: readonly number[]): Position | undefined
  /** The value as read, for JSON that has a table of its own. */
  node(key: keyof T & string, ...indexes: readonly number[]): JsonNode | undefined
  /** Whether the file has an object or list at this key, which need not have a row. */
  has(section: string, ...indexes: readonly number[]): boolean
  /** Objects in the list `key`. */
  count(list: string): number
  /** Names and values that the row `section.*` took. */
  entries<K extends keyof T & string>(key: K): readonly (readonly [string, NonNullable<ValueOf<T[K]>>])[]
  /** Notes of the `refuse` keys that the file has, each with the paths it is about. */
  readonly refused: readonly { readonly note: string; readonly paths: readonly string[] }[]
}

/** Rows of `anything` whose flat keys belong inside. */
const opaqueKeys = new Set(['model_config'])
/** Lists whose objects name a kind by its key; the published samples have both `oss` and `OSS`. */
const anyCaseKeys = new Set(['storage[]'])

/**
 * Reads `root` by the rows of `table`: every key is used, or reported to `findings` once.
 *
 * Dotted keys may be flat at any level: `metadata: {"rpc.keepalive": 1}`, `"metadata.rpc.keepalive": 1` and the nested
 * form are one key. Where two forms disagree the last one in the file counts, as for a key that stands twice.
 *
 * @param prefix Path of `root` in the file.
 */
export function checkKeys<T extends KeyTable>(
  root: JsonNode,
  table: T,
  prefix: string,
  findings: Findings,
): CheckedKeys<T> {
  const shape = shapes.get(table) ?? shapeOf(table)
  shapes.set(table, shape)
  const values = new Map<string, Found>()
  const sections = new Map<string, Section>()
  const badPaths = new Set<string>()
  const innerEntries = new Map<string, JsonEntry[]>()

  const shown = (path: string) => oneLine(joinPath(prefix, path))

  function visit(key: string, path: string, entry: JsonEntry): void {
    const { value: node, at } = entry
    if (node.kind === 'scalar' && node.value === null) return // `"instances": null` stands in a published sample
    if (shape.lists.has(key)) visitList(key, path, at, node)
    else if (shape.objects.has(key)) visitObject(key, path, at, node)
    else visitValue(key, path, at, node)
  }

  function visitObject(key: string, path: string, at: Position, node: JsonNode): void {
    if (node.kind !== 'object') {
      if (!isEmptyText(node)) findings.bad(shown(path), `is ${kindOf(node)}, must be an object`, at)
      return
    }
    sections.set(path, { key, path, at, size: node.entries.length })
    for (const entry of node.entries) visitEntry(key, path, entry)
  }

  function visitList(key: string, path: string, at: Position, node: JsonNode): void {
    if (node.kind !== 'list') {
      if (!isEmptyText(node)) findings.bad(shown(path), `is ${kindOf(node)}, must be a list of objects`, at)
      return
    }
    if (sections.has(path)) {
      warnConflict(path, at)
      for (const found of [values, sections]) {
        for (const known of [...found.keys()]) if (known.startsWith(`${path}[`)) found.delete(known)
      }
    }
    sections.set(path, { key, path, at, size: node.items.length })
    node.items.forEach((item, i) => {
      visitObject(`${key}[]`, `${path}[${i}]`, item.at, item)
    })
  }

  function visitEntry(parentKey: string, parentPath: string, entry: JsonEntry): void {
    const name = anyCaseKeys.has(parentKey) ? lowerFirst(entry.key) : entry.key
    const key = joinPath(parentKey, name)
    const path = joinPath(parentPath, name)
    const known = name !== '' && !name.includes('[]') && shape.has(key)
    const open = shape.open.find((section) => key.startsWith(`${section}.`))
    const opaque = shape.opaque.find((section) => key.startsWith(`${section}.`))
    if (known || open !== undefined) {
      addImplied(parentKey, parentPath, name, entry.at)
      visit(known ? key : `${open}.*`, path, entry)
    } else if (opaque !== undefined) {
      // `"model_config.fg_mode": …` means what it would inside `model_config`.
      addInner(opaque, { ...entry, key: key.slice(opaque.length + 1) })
    } else {
      findings.warn('unknown_key', shown(path), () => unknownKeyMessage(parentKey, parentPath, entry.key), entry.at)
    }
  }

  /** `"oss.path": …` says that there is an `oss`. */
  function addImplied(parentKey: string, parentPath: string, name: string, at: Position): void {
    for (let dot = name.indexOf('.'); dot > 0; dot = name.indexOf('.', dot + 1)) {
      const key = joinPath(parentKey, name.slice(0, dot))
      const path = joinPath(parentPath, name.slice(0, dot))
      if (shape.objects.has(key) && !sections.has(path)) sections.set(path, { key, path, at, size: 0 })
    }
  }

  function visitValue(key: string, path: string, at: Position, node: JsonNode): void {
    const row = table[key]
    if (!row) return
    if (isEmptyText(node) && !row.type.keepsEmpty) return // `"model_entry": ""` stands in the published sample
    const parsed = row.type.parse(toPlain(node))
    if (!parsed) {
      findings.bad(shown(path), `${showValue(node, row)} is not allowed, must be ${row.type.words}`, at)
      badPaths.add(path)
      return
    }
    const known = values.get(path)
    const differ = known && JSON.stringify(known.value) !== JSON.stringify(parsed.value)
    if (differ) warnConflict(path, at, known.at)
    values.set(path, { key, path, at, node, value: parsed.value })
  }

  function addInner(key: string, entry: JsonEntry): void {
    const entries = innerEntries.get(key) ?? []
    innerEntries.set(key, entries)
    entries.push(entry)
  }

  /** Puts the flat keys of an opaque value inside it, where the nested form must not already say something else. */
  function mergeInner(): void {
    for (const [key, flat] of innerEntries) {
      const known = values.get(key)
      const nested = known?.node.kind === 'object' ? known.node.entries : []
      const at = known?.at ?? flat[0]?.at ?? root.at
      if (known && known.node.kind !== 'object') warnConflict(key, at)
      const merged = new Map<string, JsonEntry>()
      for (const entry of [...nested, ...flat].sort((a, b) => comparePositions(a.at, b.at))) {
        const other = merged.get(entry.key)
        const differ = other && JSON.stringify(toPlain(other.value)) !== JSON.stringify(toPlain(entry.value))
        if (differ) warnConflict(joinPath(key, entry.key), entry.at, other.at)
        merged.set(entry.key, entry)
      }
      const node: JsonNode = { kind: 'object', at, entries: [...merged.values()] }
      values.set(key, { key, path: key, at, node, value: toPlain(node) })
    }
  }

  function warnConflict(path: string, at: Position, other?: Position): void {
    const lines = other && other.line !== at.line ? ` (lines ${other.line} and ${at.line})` : ''
    const message = () => `${shown(path)}: is said in two ways that differ${lines}; the last one counts`
    findings.warn('conflict', shown(path), message, at)
  }

  function unknownKeyMessage(parentKey: string, parentPath: string, key: string): string {
    const path = shown(joinPath(parentPath, oneLine(key, 80)))
    const near = nearest(key, shape.childrenOf(parentKey))
    const elsewhere = key.includes('[]') ? undefined : shape.keyNamed(key)
    const meant = near !== undefined ? shown(joinPath(parentPath, near)) : elsewhere && joinPath(prefix, elsewhere)
    return `${path}: is not a known key and is ignored${meant ? `; did you mean ${meant}?` : ''}`
  }

  function reportMissing(): void {
    for (const [key, row] of Object.entries(table)) {
      if (!row.required) continue
      const parent = key.slice(0, key.lastIndexOf('.'))
      const name = key.slice(parent.length + 1)
      for (const section of sections.values()) {
        if (section.key !== parent) continue
        const path = joinPath(section.path, name)
        if (values.has(path) || badPaths.has(path)) continue
        findings.bad(shown(path), `is missing, must be ${row.type.words}`, section.at)
      }
    }
  }

  /** Keys of one fate, grouped by note. A key inside a section with a row of its own is reported as that section. */
  function byNote(fate: 'warn' | 'refuse') {
    const groups = new Map<string, { paths: Set<string>; at: Position }>()
    const found = [...values.values(), ...[...sections.values()].filter(({ size }) => size > 0)]
    for (const item of found) {
      const row = table[item.key]
      if (row?.fate !== fate) continue
      if ('value' in item && item.value === row.default) continue // says what is so anyway
      const noted = shape.notedSection(item.key) ?? item.key
      const note = table[noted]?.note
      if (note === undefined) continue
      const group = groups.get(note) ?? { paths: new Set(), at: sections.get(noted)?.at ?? item.at }
      groups.set(note, group)
      group.paths.add(shown(noted === item.key && isOpen(noted) ? item.path : noted))
    }
    return [...groups].map(([note, { paths, at }]) => ({ note, paths: someOf([...paths]), at }))
  }

  if (root.kind === 'object') visitObject('', '', root.at, root)
  else findings.bad(prefix, `is ${kindOf(root)}, must be an object`, root.at)
  mergeInner()
  reportMissing()
  for (const { note, paths, at } of byNote('warn')) {
    const verb = paths.length > 1 ? 'have' : 'has'
    findings.warn('no_effect', paths[0] ?? '', () => `${paths.join(', ')}: ${verb} no effect, ${note}`, at)
  }

  return {
    get(key, ...indexes) {
      const found = values.get(fillIn(key, indexes))
      // The row's own `parse` made the value, and its default has the same type.
      return (found ? found.value : table[key]?.default) as ValueOf<T[typeof key]>
    },
    at: (key, ...indexes) => values.get(fillIn(key, indexes))?.at,
    node: (key, ...indexes) => values.get(fillIn(key, indexes))?.node,
    has: (section, ...indexes) => sections.has(fillIn(section, indexes)),
    count: (key) => sections.get(key)?.size ?? 0,
    entries: <K extends keyof T & string>(key: K) =>
      [...values.values()]
        .filter((found) => found.key === key || (isOpen(key) && found.path.startsWith(key.slice(0, -1))))
        // As in `get`: the value was made by the row's own `parse`.
        .map((found) => [found.path.slice(key.length - 1), found.value as NonNullable<ValueOf<T[K]>>] as const),
    refused: byNote('refuse'),
  }
}

/** Names for one message; the rest is only counted. */
const someOf = (paths: readonly string[]): readonly string[] =>
  paths.length > 20 ? [...paths.slice(0, 20), `${paths.length - 20} more`] : paths

const isOpen = (key: string): boolean => key.endsWith('.*')

const fillIn = (key: string, indexes: readonly number[]): string => {
  let next = 0
  return key.replaceAll('[]', () => `[${indexes[next++]}]`)
}

const lowerFirst = (key: string): string => key.replace(/^[^.]*/, (first) => first.toLowerCase())

const isEmptyText = (node: JsonNode): boolean => node.kind === 'scalar' && node.value === ''

function kindOf(node: JsonNode): string {
  if (node.kind === 'object') return 'an object'
  if (node.kind === 'list') return 'a list'
  return typeof node.value === 'boolean' ? 'a boolean' : `a ${typeof node.value}`
}

/** The value for a message. Objects and lists are only named: a secret may be inside. */
function showValue(node: JsonNode, row: KeyRow): string {
  if (row.secret) return '(hidden)'
  if (node.kind !== 'scalar') return kindOf(node)
  return typeof node.value === 'string' ? `"${oneLine(node.value, 80)}"` : String(node.value)
}

/** What a table's keys say about the objects and lists they stand in. */
function shapeOf(table: KeyTable) {
  const keys = Object.keys(table)
  const objects = new Set<string>([''])
  const lists = new Set<string>()
  for (const key of keys) {
    for (let dot = key.lastIndexOf('.'); dot > 0; dot = key.lastIndexOf('.', dot - 1)) {
      const section = key.slice(0, dot)
      objects.add(section)
      if (section.endsWith('[]')) lists.add(section.slice(0, -2))
    }
    if (table[key]?.type.section === 'object') objects.add(key)
    if (table[key]?.type.section === 'list') lists.add(key)
  }
  const known = new Set([...keys, ...objects, ...lists])
  return {
    objects,
    lists,
    has: (key: string) => known.has(key) && !isOpen(key),
    /** Sections that take any key. */
    open: keys.filter(isOpen).map((key) => key.slice(0, -2)),
    /** Rows whose value may be an object without rows here. */
    opaque: keys.filter((key) => opaqueKeys.has(key)),
    /** Names of the keys right below a section, and of dotted ones. */
    childrenOf(section: string): string[] {
      const start = section ? `${section}.` : ''
      const names = [...known].filter(
        (key) => key !== '' && key.startsWith(start) && !isOpen(key) && !key.endsWith('[]'),
      )
      return names.map((key) => key.slice(start.length)).filter((name) => name !== '' && !name.includes('[]'))
    },
    /** The key elsewhere in the table whose last part is `name`, if there is just one. */
    keyNamed(name: string): string | undefined {
      const named = [...known].filter((key) => key !== '' && (key.endsWith(`.${name}`) || key === name))
      return named.length === 1 ? named[0] : undefined
    },
    /** The section around `key` whose row has a note, when the row of `key` has none. */
    notedSection(key: string): string | undefined {
      if (table[key]?.note !== undefined) return undefined
      return keys.find(
        (section) =>
          table[section]?.note !== undefined && /^[.[]/.test(key.slice(section.length)) && key.startsWith(section),
      )
    },
  }
}

const shapes = new WeakMap<KeyTable, ReturnType<typeof shapeOf>>()
