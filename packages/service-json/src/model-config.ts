import { type CheckedKeys, checkKeys } from './check-keys.ts'
import { ConfigError, type Findings } from './config-error.ts'
import { type JsonNode, readJsonc, toPlain } from './jsonc.ts'
import { easyRecKeys, torchEasyRecKeys } from './model-keys.ts'
import type { ProcessorCode } from './processor-code.ts'
import type { EasyRecConfig, TorchEasyRecConfig } from './service-config.ts'
import type { ServiceKeys } from './service-keys.ts'

/** `model_config` as it stands, and checked where the processor's family publishes its keys. */
export function readModelConfig(
  keys: ServiceKeys,
  processor: ProcessorCode | undefined,
  file: string,
  findings: Findings,
) {
  const node = keys.node('model_config')
  if (processor?.family !== 'easyrec-torch' && processor?.family !== 'easyrec') {
    return { model_config: node ? toObjectOrText(node) : '' }
  }
  const object = readInner(node, 'model_config', file, findings)
  const plain = toObjectOrText(object)
  const model_config = typeof plain === 'string' ? {} : plain // text was reported as bad by `checkKeys`
  if (processor.family === 'easyrec') {
    return { model_config, easyRec: easyRecConfig(checkKeys(object, easyRecKeys, 'model_config', findings)) }
  }
  return {
    model_config,
    torchEasyRec: torchEasyRecConfig(checkKeys(object, torchEasyRecKeys, 'model_config', findings)),
  }
}

function toObjectOrText(node: JsonNode): Readonly<Record<string, unknown>> | string {
  const plain = toPlain(node)
  if (node.kind === 'object') return plain as Readonly<Record<string, unknown>> // made from an object node
  return typeof plain === 'string' ? plain : JSON.stringify(plain)
}

/** The object at `path`. EAS hands `model_config` on as text, so an object written as a string means the same. */
function readInner(node: JsonNode | undefined, path: string, file: string, findings: Findings): JsonNode {
  if (!node) return { kind: 'object', at: { line: 1, column: 1 }, entries: [] }
  if (node.kind !== 'scalar' || typeof node.value !== 'string') return node
  if (!node.value.trimStart().startsWith('{')) return node
  try {
    return readJsonc(node.value, file, findings, path)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    for (const { message, at } of error.options) {
      const place = at ? ` (line ${at.line} column ${at.column} of its text)` : ''
      findings.bad(path, `is not the JSON it begins as${place}: ${message}`, node.at)
    }
    return { kind: 'object', at: node.at, entries: [] }
  }
}

function torchEasyRecConfig(keys: CheckedKeys<typeof torchEasyRecKeys>): TorchEasyRecConfig {
  return {
    fg_mode: keys.get('fg_mode'),
    fg_threads: keys.get('fg_threads'),
    outputs: keys.get('outputs') ?? [],
    item_empty_score: keys.get('item_empty_score'),
    faiss_neigh_num: keys.get('faiss_neigh_num'),
    faiss_nprobe: keys.get('faiss_nprobe'),
    tdm_retrieval_num: keys.get('tdm_retrieval_num'),
    warmup_data_path: keys.get('warmup_data_path'),
    warmup_cnt_per_file: keys.get('warmup_cnt_per_file'),
    warmup_pb_files_count: keys.get('warmup_pb_files_count'),
    long_request_threshold: keys.get('long_request_threshold'),
    save_long_request: keys.get('save_long_request'),
    request_log_path: keys.get('request_log_path'),
    background_feature_thread_num: keys.get('background_feature_thread_num'),
  }
}

function easyRecConfig(keys: CheckedKeys<typeof easyRecKeys>): EasyRecConfig {
  return {
    fg_mode: keys.get('fg_mode'),
    outputs: keys.get('outputs') ?? [],
    item_empty_score: keys.get('item_empty_score'),
    faiss_ivf_nprobe: keys.get('faiss_ivf_nprobe'),
    save_req: keys.get('save_req'),
  }
}
