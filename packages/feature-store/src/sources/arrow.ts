import { badData } from '../feature-store-error.ts'

/** The pairs of an Arrow IPC stream whose first column is a key and whose second is bytes, a record batch at a time. */
export async function* arrowPairs(
  response: Response,
): AsyncGenerator<{ readonly keys: readonly string[]; readonly values: readonly Uint8Array[] }, void, void> {
  if (!response.body) return
  const { RecordBatchReader } = await import('apache-arrow')
  try {
    const reader = await RecordBatchReader.from(response.body as unknown as AsyncIterable<Uint8Array>) // Node's streams are iterable
    for await (const batch of reader) {
      const [keys, values] = [batch.getChildAt(0), batch.getChildAt(1)]
      if (!keys || !values) throw badData('an Arrow batch has not two columns')
      yield {
        keys: Array.from(keys as Iterable<unknown>, String),
        values: Array.from(values as Iterable<unknown>, (value) =>
          value instanceof Uint8Array ? value : new Uint8Array(0),
        ),
      }
    }
  } catch (error) {
    if (error instanceof Error && ('code' in error || error.name === 'AbortError')) throw error
    throw badData(`FeatureDB's answer is no Arrow stream: ${error instanceof Error ? error.message : error}`)
  }
}
