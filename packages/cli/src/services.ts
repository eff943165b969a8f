import { basename } from 'node:path'
import { limits } from '@eas/base'
import type { ServiceFile } from '@eas/processor'
import { readText } from './read-file.ts'

/**
 * A file to serve as a `service.json`: one as it is, a model file as a service of its own with EAS's defaults.
 * @param defaults What a model file alone does not say.
 */
export async function readServiceFile(
  path: string,
  defaults: { readonly processor: string; readonly name: string | undefined },
): Promise<ServiceFile> {
  if (/\.jsonc?$/i.test(path)) return { path, text: await readText(path, limits.serviceJsonBytes) }
  const name = defaults.name ?? serviceName(path)
  const json = { name, model_path: basename(path), processor: defaults.processor, metadata: { instance: 1 } }
  return { path, text: JSON.stringify(json) }
}

/** `Digits v2.onnx` as a service is called: `digits_v2`. */
function serviceName(file: string): string {
  const stem = basename(file)
    .replace(/\.[^.]*$/, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
  return /^[a-z]/.test(stem) ? stem : `model_${stem}`
}
