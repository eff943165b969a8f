import { ItemStore, requestItems, snapshotSource } from '@eas/feature-store'
import type { InputColumn } from '@eas/fg'
import { type ObjectStore, openStore } from '@eas/storage'
import { nameOf, type Sample } from './sample.ts'
import type { SampleOptions } from './samples.ts'

/** Rows whose features are generated at once. */
const rowsAtOnce = 1024

/** Rows of a Parquet or CSV file by column; `options.key` is the column that names them. */
export async function* tableSamples(file: string, { key, limit }: SampleOptions): AsyncGenerator<Sample, void, void> {
  const source = snapshotSource(onlyThis(file), { key })
  const snapshot = await source.snapshot?.(undefined, {})
  if (!snapshot) return
  const keyColumn = { name: key, type: { form: 'scalar', of: snapshot.schema.key } } as const
  const columns = [...snapshot.schema.columns, keyColumn]
  const logged = snapshot.schema.columns.findIndex(({ name }) => name === 'generate_features')
  let done = 0
  for await (const batch of snapshot.batches) {
    for (let start = 0; start < batch.keys.length && done < limit; start += rowsAtOnce) {
      const end = Math.min(batch.keys.length, start + rowsAtOnce, start + limit - done)
      const numbers = Array.from({ length: end - start }, (_, i) => i)
      // Under keys of their own, since a sample may have the same item many times.
      const rows = new ItemStore({ key: 'int64', columns }, numbers.length)
      const slices = [...batch.columns, batch.keys].map((column) => Array.prototype.slice.call(column, start, end))
      rows.add({ keys: numbers, columns: slices })
      const table = requestItems(rows.view())
      const index = table.entriesOf(numbers.map(String))
      yield {
        names: numbers.map((i) => nameOf(slices.at(-1)?.[i], done + i + 1)),
        request: {
          rows: numbers.length,
          column({ name }): InputColumn | undefined {
            const column = table.column(name)
            return column && { ...column, index }
          },
        },
        logged: numbers.map((i) => (typeof slices[logged]?.[i] === 'string' ? slices[logged][i] : undefined)),
      }
      done += numbers.length
    }
  }
}

/** A store in which there is one file only: a snapshot is all that lies in a place. */
function onlyThis(file: string): { readonly store: ObjectStore; readonly key: string } {
  const { store, key } = openStore(file)
  const refuse = () => Promise.reject(new Error('files are only read'))
  return {
    key: '',
    store: {
      url: store.url,
      head: async (wanted, options) => (wanted === key ? store.head(wanted, options) : undefined),
      read: (wanted, range, options) => store.read(wanted, range, options),
      stream: (wanted, options) => store.stream(wanted, options),
      async *list(_prefix, options) {
        const info = await store.head(key, options)
        if (info) yield info
      },
      put: refuse,
      create: refuse,
      delete: refuse,
    },
  }
}
