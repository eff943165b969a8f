import type { CallOptions, ObjectInfo, ObjectStore } from '@eas/storage'
import { inputFormats, withoutCompression } from '../read/formats.ts'

/** An object to be scored. */
export interface ListedObject {
  readonly store: ObjectStore
  readonly info: ObjectInfo
}

/** Whether an object's name says that it has rows or requests in it. */
export const hasRows = (key: string): boolean =>
  Object.values(inputFormats).some(({ names }) => names.test(withoutCompression(key)))

/**
 * What there is to score at a place: the object of that key, or all below it, in the order of their keys, as they are
 * listed: a million of them take no more memory than one page.
 *
 * @param isWanted Which of those below a prefix count. Default: names that end like a format's.
 */
export async function* listObjects(
  { store, key }: { readonly store: ObjectStore; readonly key: string },
  options: CallOptions = {},
  isWanted: (key: string) => boolean = hasRows,
): AsyncGenerator<ListedObject, void, void> {
  const own = key === '' ? undefined : await store.head(key, options)
  if (own) {
    yield { store, info: own }
    return
  }
  for await (const info of store.list(key === '' ? '' : `${key}/`, options)) {
    if (info.size > 0 && isWanted(info.key)) yield { store, info }
  }
}
