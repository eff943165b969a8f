import { decodeMessage, type Message, refuse } from '@eas/onnx'
import { checked } from './checked.ts'
import type { ModelDirectory } from './folder.ts'
import { assetType } from './messages.ts'

/** Bytes of all assets: vocabularies of millions of words. */
const maxAssetBytes = 512 * 1024 * 1024

export interface Assets {
  /** Contents by name, which is the file's below `assets/`. */
  readonly files: ReadonlyMap<string, Uint8Array>
  /** Names of files by the node whose value is the path of one. */
  readonly nodes: ReadonlyMap<string, string>
}

/** Files that the graph reads words from. @throws {ImportRefusal} When they are too large. */
export async function readAssets(
  directory: ModelDirectory,
  files: ReadonlySet<string>,
  meta: Message,
): Promise<Assets> {
  const nodes = new Map<string, string>()
  for (const { filename = '', tensor_info: info } of checked(
    () => assetDefs(meta),
    'the list of assets cannot be read',
  )) {
    nodes.set((info?.name ?? '').replace(/:\d+$/, ''), filename)
  }
  const contents = new Map<string, Uint8Array>()
  let total = 0
  for (const path of files) {
    if (!path.startsWith('assets/')) continue
    const source = await directory.open(path)
    total += source.size
    if (total > maxAssetBytes) throw refuse(`the assets take over ${maxAssetBytes} bytes`, path.slice(0, 100))
    contents.set(path.slice('assets/'.length), await source.read(0, source.size))
  }
  return { files: contents, nodes }
}

/** TensorFlow 2 has a field for them, TensorFlow 1 a collection. */
function assetDefs(meta: Message): readonly Message[] {
  const collections = meta.collection_def as Message[] // a repeated message
  const listed: readonly Message[] =
    collections.find(({ key }) => key === 'saved_model_assets')?.value?.any_list?.value ?? []
  return [...meta.asset_file_def, ...listed.map(({ value }) => decodeMessage(assetType, value ?? new Uint8Array()))]
}
