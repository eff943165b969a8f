import { oneLine } from '@eas/base'
import { at, type Json, number, text } from '../json.ts'
import type { ObjectReference, WorkItem } from '../work.ts'

/**
 * Work that a person or a program writes down, instead of a store: `{ "items": [ … ] }`, a list of items, or one item. An
 * item is an object's name (`"oss://bucket/key"`), or an object with `uri`, or with `bucket` and `key`; `size`,
 * `version` and `part` may be given. Keys are as they are stored, not encoded.
 *
 * @param schemeByDefault Of items that give `bucket` and `key`.
 * @returns `undefined` when it is no task.
 */
export function taskItems(task: Json, schemeByDefault: ObjectReference['scheme']): readonly WorkItem[] | undefined {
  const listed = Array.isArray(task) ? task : at(task, 'items')
  if (Array.isArray(listed)) return listed.map((item, i) => toItem(item, i, schemeByDefault))
  const item = toItem(task, 0, schemeByDefault)
  return item.error === undefined ? [item] : undefined
}

function toItem(item: Json, index: number, schemeByDefault: ObjectReference['scheme']): WorkItem {
  const object = taskObject(item, schemeByDefault)
  if (!object) {
    return {
      id: `items[${index}]`,
      objects: [],
      error: `Cannot read ${oneLine(JSON.stringify(item) ?? '')} as an object`,
    }
  }
  return { id: text(at(item, 'id')) ?? `${object.scheme}://${object.bucket}/${object.key}`, objects: [object] }
}

const schemes: ReadonlySet<string> = new Set(['s3', 'oss', 'gs', 'file'] satisfies ObjectReference['scheme'][])

function taskObject(item: Json, schemeByDefault: ObjectReference['scheme']): ObjectReference | undefined {
  const uri = text(item) ?? text(at(item, 'uri'))
  const [, scheme = schemeByDefault, bucket = text(at(item, 'bucket')), key = text(at(item, 'key'))] =
    uri === undefined ? [] : (/^([a-z0-9]+):\/\/([^/]*)\/(.+)$/s.exec(uri) ?? ['', 'none'])
  if (!schemes.has(scheme) || bucket === undefined || (bucket === '' && scheme !== 'file') || !key) return undefined
  return {
    scheme: scheme as ObjectReference['scheme'], // one of `schemes`
    bucket,
    key,
    ...optional('size', number(at(item, 'size'))),
    ...optional('version', text(at(item, 'version'))),
    ...optional('part', text(at(item, 'part'))),
  }
}

/** A member that is left out when there is no value for it. */
export const optional = <N extends string, V>(name: N, value: V | undefined): { readonly [K in N]?: V } =>
  value === undefined ? {} : ({ [name]: value } as { readonly [K in N]?: V }) // `name` is the one key
