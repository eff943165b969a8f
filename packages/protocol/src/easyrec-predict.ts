import type { Tensor } from '@eas/base'
import { ArrayState } from './array-proto.ts'
import { tfDataTypes } from './data-type.ts'
import { inField } from './decode-error.ts'
import { readFeaturesEntry, sizeOfFeaturesMap, writeFeaturesMap } from './feature-map.ts'
import {
  readTensorEntry,
  readText,
  readTextEntry,
  sizeOfTensorMap,
  sizeOfTextMap,
  sizeOfTexts,
  writeTensorMap,
  writeTextMap,
  writeTexts,
} from './map-entry.ts'
import { decodeMessage, encodeMessage } from './message.ts'
import { FeatureState, type PBFeature } from './pb-feature.ts'
import { Runs, viewFloat64 } from './runs.ts'
import { type TorchrecRequest, torchrecPredict } from './torchrec-predict.ts'
import { type Reader, type Sizes, sizeOfInt32, sizeOfUtf8, type Writer } from './wire.ts'

/**
 * `PBRequest` of the EasyRec processor: the TorchEasyRec processor's. The SDKs' own message has four scalar kinds of
 * features and ends at `faiss_neigh_num`; PAI-Rec sends both processors all of it, any number of Go's as `double_feature`.
 */
export type EasyrecRequest = TorchrecRequest

/** `PBResponse` of the EasyRec processor. */
export interface EasyrecResponse {
  /** Scores by item id, in the order of `outputs`. */
  readonly results: ReadonlyMap<string, Float64Array>
  readonly item_features: ReadonlyMap<string, string>
  readonly generate_features: ReadonlyMap<string, string>
  readonly context_features: ReadonlyMap<string, readonly PBFeature[]>
  readonly error_msg: string
  /** One of `easyrecStatus`: clients fail with `error_msg` on any but `OK`, whatever the HTTP status. */
  readonly status_code: number
  readonly item_ids: readonly string[]
  /** Names of the scores. */
  readonly outputs: readonly string[]
  readonly raw_features: ReadonlyMap<string, string>
  readonly tf_outputs: ReadonlyMap<string, Tensor>
}

/** `StatusCode` of the EasyRec processor. */
export const easyrecStatus = { OK: 0, INPUT_EMPTY: 1, EXCEPTION: 2 } as const

/**
 * Messages of the EasyRec processor.
 * @see proto/easyrec_predict.proto
 */
export const easyrecPredict = {
  decodeRequest: torchrecPredict.decodeRequest,
  encodeRequest: torchrecPredict.encodeRequest,

  /** @throws {DecodeError} */
  decodeResponse: (bytes: Uint8Array): EasyrecResponse => decodeMessage('PBResponse', bytes, readResponse),

  /** @throws {EasError} `internal` when a dtype has no number in `ArrayDataType`. */
  encodeResponse: (response: EasyrecResponse): Uint8Array => encodeMessage(response, sizeOfResponse, writeResponse),

  isRequest: torchrecPredict.isRequest,
} as const

function readResponse(reader: Reader): EasyrecResponse {
  const features = new FeatureState()
  const tensors = new ArrayState(tfDataTypes)
  const results = new Map<string, Float64Array>()
  const item_features = new Map<string, string>()
  const generate_features = new Map<string, string>()
  const context_features = new Map<string, readonly PBFeature[]>()
  const item_ids: string[] = []
  const outputs: string[] = []
  const raw_features = new Map<string, string>()
  const tf_outputs = new Map<string, Tensor>()
  let error_msg = ''
  let status_code = 0
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    switch (tag) {
      case 0x0a:
        readResultsEntry(reader, results)
        break
      case 0x12:
        readTextEntry(reader, 'item_features', item_features)
        break
      case 0x1a:
        readTextEntry(reader, 'generate_features', generate_features)
        break
      case 0x22:
        readFeaturesEntry(reader, 'context_features', features, context_features)
        break
      case 0x2a:
        error_msg = readErrorMessage(reader)
        break
      case 0x30:
        status_code = reader.int32()
        break
      case 0x3a:
        readText(reader, 'item_ids', item_ids)
        break
      case 0x42:
        readText(reader, 'outputs', outputs)
        break
      case 0x4a:
        readTextEntry(reader, 'raw_features', raw_features)
        break
      case 0x52:
        readTensorEntry(reader, 'tf_outputs', tensors, tf_outputs)
        break
      default:
        reader.skip(tag)
    }
  }
  return {
    results,
    item_features,
    generate_features,
    context_features,
    error_msg,
    status_code,
    item_ids,
    outputs,
    raw_features,
    tf_outputs,
  }
}

function readErrorMessage(reader: Reader): string {
  try {
    return reader.string()
  } catch (thrown) {
    throw inField(thrown, 'error_msg')
  }
}

/** `map<string, Results>`, where `Results` is `repeated double scores = 1`. */
function readResultsEntry(reader: Reader, into: Map<string, Float64Array>): void {
  let key: string | undefined
  const runs = new Runs()
  try {
    const outer = reader.enter()
    while (reader.pos < reader.end) {
      const tag = reader.tag()
      if (tag === 0x0a) key = reader.string()
      else if (tag === 0x12) readScores(reader, runs)
      else reader.skip(tag)
    }
    reader.end = outer
  } catch (thrown) {
    throw inField(thrown, 'results', key)
  }
  into.set(key ?? '', viewFloat64(runs.bytesOf(reader), runs.start, runs.end))
}

function readScores(reader: Reader, runs: Runs): void {
  const outer = reader.enter()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) runs.addPackedFixed(reader, 8)
    else if (tag === 0x09) runs.addFixed(reader, 8)
    else reader.skip(tag)
  }
  reader.end = outer
}

function sizeOfResponse(response: EasyrecResponse, sizes: Sizes): number {
  const { results, error_msg, status_code } = response
  let size = 0
  for (const [key, scores] of results) {
    const entry = sizes.reserve()
    const keySize = 1 + sizes.add(sizeOfUtf8(key))
    const value = sizes.reserve()
    const scoresSize = scores.length === 0 ? 0 : 1 + sizes.add(scores.byteLength)
    size += 1 + sizes.set(entry, keySize + 1 + sizes.set(value, scoresSize))
  }
  size += sizeOfTextMap(response.item_features, sizes)
  size += sizeOfTextMap(response.generate_features, sizes)
  size += sizeOfFeaturesMap(response.context_features, sizes)
  if (error_msg !== '') size += 1 + sizes.add(sizeOfUtf8(error_msg))
  if (status_code !== 0) size += 1 + sizeOfInt32(status_code)
  size += sizeOfTexts(response.item_ids, sizes)
  size += sizeOfTexts(response.outputs, sizes)
  size += sizeOfTextMap(response.raw_features, sizes)
  return size + sizeOfTensorMap(response.tf_outputs, 'tf_outputs', tfDataTypes, sizes)
}

function writeResponse(writer: Writer, response: EasyrecResponse): void {
  const { results, error_msg, status_code } = response
  for (const [key, scores] of results) {
    writer.byte(0x0a)
    writer.length()
    writer.byte(0x0a)
    writer.string(key)
    writer.byte(0x12)
    if (writer.length() > 0) {
      writer.byte(0x0a)
      writer.length()
      writer.raw(scores)
    }
  }
  writeTextMap(writer, 0x12, response.item_features)
  writeTextMap(writer, 0x1a, response.generate_features)
  writeFeaturesMap(writer, 0x22, response.context_features)
  if (error_msg !== '') {
    writer.byte(0x2a)
    writer.string(error_msg)
  }
  if (status_code !== 0) {
    writer.byte(0x30)
    writer.int32(status_code)
  }
  writeTexts(writer, 0x3a, response.item_ids)
  writeTexts(writer, 0x42, response.outputs)
  writeTextMap(writer, 0x4a, response.raw_features)
  writeTensorMap(writer, 0x52, response.tf_outputs, tfDataTypes)
}
