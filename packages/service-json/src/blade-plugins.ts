import { oneLine } from '@eas/base'
import { checkKeys } from './check-keys.ts'
import type { Findings } from './config-error.ts'
import type { JsonNode } from './jsonc.ts'
import { bladeKeys } from './model-keys.ts'
import type { BladeItems, BladePlugin } from './service-config.ts'
import type { ServiceKeys } from './service-keys.ts'

/** Blade's entries in `plugins`. */
export function readPlugins(keys: ServiceKeys, findings: Findings): BladePlugin[] {
  return Array.from({ length: keys.count('plugins') }, (_, i) => readPlugin(keys, i, findings))
}

function readPlugin(keys: ServiceKeys, i: number, findings: Findings): BladePlugin {
  const model_info: Record<string, BladeItems> = Object.create(null)
  const node = keys.node('plugins[].config.model_info', i)
  const path = `plugins[${i}].config.model_info`
  if (node && node.kind !== 'object')
    findings.bad(path, 'must be an object of optimization items by model file', node.at)
  for (const { key, value } of node?.kind === 'object' ? node.entries : []) {
    model_info[key] = readBladeItems(value, `${path}["${oneLine(key, 80)}"]`, findings)
  }
  return {
    command: keys.get('plugins[].command', i) ?? '', // reported when missing, as image is
    image: keys.get('plugins[].image', i) ?? '',
    resource: keys.get('plugins[].resource', i),
    gpu: keys.get('plugins[].gpu', i),
    model_info,
  }
}

function readBladeItems(node: JsonNode, path: string, findings: Findings): BladeItems {
  const items = checkKeys(node, bladeKeys, path, findings)
  return {
    optimization_level: items.get('optimization_level'),
    test_data: items.get('test_data'),
    calibration_dataset: items.get('calibration_dataset'),
    inputs: items.get('inputs'),
    outputs: items.get('outputs'),
    input_shapes: items.get('input_shapes'),
    input_ranges: items.get('input_ranges'),
    quantization: { weight_adjustment: items.get('quantization.weight_adjustment') },
  }
}
