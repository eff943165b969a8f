import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { limits } from '@eas/base'
import type { ServiceFile } from '@eas/processor'
import { refuseStandIn } from './model-trouble.ts'
import { readText } from './read-file.ts'

/**
 * A file to serve as a `service.json`: one as it is, a model as a service of its own with EAS's defaults.
 *
 * @param path A file, the folder of a SavedModel or of a TorchEasyRec export, or a model's URL.
 * @param defaults What a model alone does not say. Without a processor it gets the one that its format is made for.
 */
export async function readServiceFile(
  path: string,
  defaults: { readonly processor: string | undefined; readonly name: string | undefined },
): Promise<ServiceFile> {
  if (/\.jsonc?$/i.test(path)) return { path, text: await readText(path, limits.serviceJsonBytes) }
  await refuseStandIn('use', path)
  const isUrl = /^[a-z][a-z0-9+.-]*:\/\//i.test(path)
  const name = defaults.name ?? serviceName(path)
  const processor = defaults.processor ?? processorFor(path)
  const json = { name, model_path: isUrl ? path : basename(path), processor, metadata: { instance: 1 } }
  return { path: isUrl ? 'service.json' : path, text: JSON.stringify(json) }
}

function processorFor(path: string): string {
  if (existsSync(join(path, 'fg.json'))) return 'easyrec-torch-1.0'
  const isTensorFlow = /\.pb(txt)?$|saved_?model/i.test(path) || existsSync(join(path, 'saved_model.pb'))
  return isTensorFlow ? 'tensorflow_cpu_2.7' : 'pytorch_cpu_1.10'
}

/** `Digits v2.onnx` as a service is called: `digits_v2`. */
function serviceName(file: string): string {
  const stem = basename(file.replace(/\/+$/, ''))
    .replace(/\.[^.]*$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
  return /^[a-z]/.test(stem) ? stem : `model_${stem}`
}
