import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { EasError } from '@eas/base'
import { type ModelFolder, readDocument, recallIn, within } from '../model-folder.ts'

/** What lies in a SavedModel of EasyRec. */
export interface EasyrecFolder extends Pick<ModelFolder, 'fgJson' | 'asset' | 'recall'> {
  /** `assets/pipeline.config`, which the exporter adds where training left one. */
  readonly pipelineConfig: Uint8Array | undefined
}

/** Where fg.json is put: by `fg_json_path` and `asset_files`, and by the latter with operators of one's own. @see docs/source/export.md */
const places = ['assets', 'assets/custom_fg_lib', '.']

/**
 * @param path The folder of the SavedModel.
 * @throws {EasError} `not_ready` when fg.json is not there.
 */
export async function openEasyrecFolder(path: string): Promise<EasyrecFolder> {
  for (const place of places.map((name) => join(path, name))) {
    const fgJson = await readDocument(place, 'fg.json')
    if (!fgJson) continue
    return {
      fgJson,
      pipelineConfig: await readDocument(join(path, 'assets'), 'pipeline.config'),
      asset: (name) => readFile(within(place, name)),
      recall: (await recallIn(path)) ?? (basename(path) === 'user' ? await recallIn(dirname(path)) : undefined),
    }
  }
  throw new EasError(
    'not_ready',
    'Cannot load the model: there is no fg.json in it or its assets; with fg_mode bypass it needs none',
  )
}
