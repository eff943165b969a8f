import { EasError, oneLine } from '@eas/base'
import type { FeatureGenerator } from '@eas/fg'
import { compile } from '../compile.ts'
import { type ModelFolder, parseObject } from '../model-folder.ts'
import type { ModelIo } from '../model-io.ts'
import { documentForTexts, type FgLibrary } from './fg-document.ts'
import { openEasyrecFolder } from './folder.ts'
import { type PipelineConfig, parsePipelineConfig } from './pipeline-config.ts'
import { TextInputs } from './text-inputs.ts'

/** Whether a model's inputs are fields of EasyRec rather than tensors of TorchEasyRec. */
export const takesFields = ({ inputs }: ModelIo): boolean =>
  inputs.length > 0 && !inputs.some(({ name }) => /^batch_size$|\.(?:values|lengths|key_lengths|weights)$/.test(name))

export interface EasyrecExport {
  readonly generator: FeatureGenerator
  readonly texts: TextInputs
  readonly recall: ModelFolder['recall']
}

/** @throws {EasError} `not_ready` with everything that the export leaves open. */
export async function openEasyrec(
  folder: string,
  { inputs }: ModelIo,
  library: FgLibrary,
  env: Readonly<Record<string, string | undefined>>,
): Promise<EasyrecExport> {
  const { fgJson, pipelineConfig, asset, recall } = await openEasyrecFolder(folder)
  const config = pipelineConfig && configOf(pipelineConfig)
  const problems: string[] = []
  const document = documentForTexts(parseObject(fgJson, 'fg.json'), library, config, problems)
  // Rows of the user are repeated here: the graph has a row per item for every input.
  const generator = await compile(document, { asset, env: { ...env, INPUT_TILE: undefined } })
  const texts = new TextInputs(generator, inputs, config, problems)
  if (problems.length > 0) throw notReady(problems.join('; '))
  return { generator, texts, recall }
}

function configOf(bytes: Uint8Array): PipelineConfig {
  try {
    return parsePipelineConfig(new TextDecoder().decode(bytes))
  } catch (thrown) {
    throw notReady(`assets/pipeline.config: ${thrown instanceof Error ? thrown.message : thrown}`)
  }
}

const notReady = (why: string) => new EasError('not_ready', `Cannot load the model: ${oneLine(why, 2000)}`)
