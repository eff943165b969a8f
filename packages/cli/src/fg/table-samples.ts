import { type ColumnSpec, ItemStore, requestItems, snapshotSource } from '@eas/feature-store'
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
  let done = 0
  for await (const batch of snapshot.batches) {
    for (let start = 0; start < batch.keys.length && done < limit; start += rowsAtOnce) {
      const count = Math.min(batch.keys.length - start, rowsAtOnce, limit - done)
      const slice = (column: ArrayLike<unknown>) => Array.from({ length: count }, (_, i) => column[start + i])
      yield sampleOf(columns, [...batch.columns, batch.keys].map(slice), done + 1)
      done += count
    }
  }
}

/**
 * @param values By column, the key's last.
 * @param first Number of the first row.
 */
function sampleOf(columns: readonly ColumnSpec[], values: readonly (readonly unknown[])[], first: number): Sample {
  const keys = values.at(-1) ?? []
  const logged = values[columns.findIndex(({ name }) => name === 'generate_features')]
  // Under keys of their own, since a sample may have the same item many times.
  const numbers = keys.map((_, i) => i)
  const rows = new ItemStore({ key: 'int64', columns }, numbers.length)
  rows.add({ keys: numbers, columns: values })
  const table = requestItems(rows.view())
  const index = table.entriesOf(numbers.map(String))
  return {
    names: keys.map((key, i) => nameOf(key, first + i)),
    request: {
      rows: numbers.length,
      column({ name }): InputColumn | undefined {
        const column = table.column(name)
        return column && { ...column, index }
      },
    },
    logged: numbers.map((i) => {
      const text = logged?.[i]
      return typeof text === 'string' ? text : undefined
    }),
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
