import { EasError, type Tensor } from '@eas/base'
import { maxResults, openIdMapping, openIndex, RecallError, type RecalledItems, recalledItems } from '@eas/recall'
import type { ModelFolder } from './model-folder.ts'
import { scoresOf } from './outputs.ts'

/** Finds the items nearest to a user. */
export interface Recall {
  /**
   * @param embedding Of the user, `[1, D]` or `[D]`; `[1, K, D]` of K interests.
   * @throws {EasError} `invalid_request` for too many neighbours, `internal` when the index is of another dimension.
   */
  find(name: string, embedding: Tensor, neighbours: number): RecalledItems
}

/**
 * @param nprobe `faiss_nprobe`; of an index without inverted lists it means nothing.
 * @throws {EasError} `not_ready` when the index or the ids cannot be read.
 */
export async function openRecall(files: NonNullable<ModelFolder['recall']>, nprobe: number): Promise<Recall> {
  try {
    const [index, idMapping] = await Promise.all([openIndex(files.index), openIdMapping(files.idMapping)])
    if (idMapping.count < index.count) {
      throw new RecallError(
        'corrupt_index',
        `id_mapping has ${idMapping.count} lines for the ${index.count} rows of faiss_index: they are not of one export`,
      )
    }
    return {
      find(name, embedding, neighbours) {
        const { data } = scoresOf(name, embedding)
        const interests = data.length / index.dimension
        if (!Number.isInteger(interests) || interests === 0) {
          throw new EasError(
            'internal',
            `Prediction failed: ${name} has ${data.length} values, and the index is of dimension ${index.dimension}`,
          )
        }
        const queries = data instanceof Float32Array ? data : Float32Array.from(data)
        const k = Math.min(neighbours, Math.max(1, index.count))
        if (interests * k > maxResults) {
          throw new EasError(
            'invalid_request',
            `Cannot use faiss_neigh_num ${neighbours}: at most ${maxResults} in all`,
          )
        }
        const found = index.search(queries, interests, k, { nprobe })
        return recalledItems(found, { k, metric: index.metric, idMapping })
      },
    }
  } catch (thrown) {
    if (!(thrown instanceof RecallError)) throw thrown
    throw new EasError('not_ready', `Cannot load the model: ${thrown.message}`, { cause: thrown })
  }
}
