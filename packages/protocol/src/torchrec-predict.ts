import type { Tensor } from '@eas/base'
import { ArrayState } from './array-proto.ts'
import { torchDataTypes } from './data-type.ts'
import {
  readFeatureEntry,
  readFeaturesEntry,
  sizeOfFeatureMap,
  sizeOfFeaturesMap,
  writeFeatureMap,
  writeFeaturesMap,
} from './feature-map.ts'
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
import { FeatureState, featureSchema, type PBFeature } from './pb-feature.ts'
import { mapSchema } from './schema.ts'
import { form, isWellFormed } from './well-formed.ts'
import { type Reader, type Sizes, sizeOfInt32, type Writer } from './wire.ts'

/** `PBRequest` of the TorchEasyRec processor. */
export interface TorchrecRequest {
  readonly debug_level: number
  readonly user_features: ReadonlyMap<string, PBFeature>
  readonly item_ids: readonly string[]
  /** By name, one feature per item id; a client may send more or fewer. */
  readonly context_features: ReadonlyMap<string, readonly PBFeature[]>
  /** 0 when the request does not say. */
  readonly faiss_neigh_num: number
  /** As `context_features`. */
  readonly item_features: ReadonlyMap<string, readonly PBFeature[]>
  readonly meta_data: ReadonlyMap<string, string>
}

/** `PBResponse` of the TorchEasyRec processor. */
export interface TorchrecResponse {
  readonly map_outputs: ReadonlyMap<string, Tensor>
  readonly generate_features: ReadonlyMap<string, string>
  readonly raw_features: ReadonlyMap<string, string>
  readonly item_ids: readonly string[]
  readonly pass_through_data: ReadonlyMap<string, string>
}

/**
 * Messages of the TorchEasyRec processor.
 * @see proto/torchrec_predict.proto
 */
export const torchrecPredict = {
  /** @throws {DecodeError} */
  decodeRequest: (bytes: Uint8Array): TorchrecRequest => decodeMessage('PBRequest', bytes, readWholeRequest),

  encodeRequest: (request: TorchrecRequest): Uint8Array => encodeMessage(request, sizeOfRequest, writeRequest),

  /** @throws {DecodeError} */
  decodeResponse: (bytes: Uint8Array): TorchrecResponse => decodeMessage('PBResponse', bytes, readResponse),

  /** @throws {EasError} `internal` when a dtype has no number in `ArrayDataType`. */
  encodeResponse: (response: TorchrecResponse): Uint8Array => encodeMessage(response, sizeOfResponse, writeResponse),

  /** Whether the bytes are a request to the letter, with no unknown field. */
  isRequest: (bytes: Uint8Array): boolean => isWellFormed(bytes, requestSchema),
} as const

const featuresSchema = mapSchema({ 1: featureSchema() })
const requestSchema = {
  1: form.varint,
  2: mapSchema(featureSchema()),
  3: form.text,
  4: featuresSchema,
  5: form.varint,
  6: featuresSchema,
  7: mapSchema(form.text),
} as const

/** A request while it is read. */
export interface RequestDraft extends TorchrecRequest {
  debug_level: number
  readonly user_features: Map<string, PBFeature>
  readonly item_ids: string[]
  readonly context_features: Map<string, readonly PBFeature[]>
  faiss_neigh_num: number
  readonly item_features: Map<string, readonly PBFeature[]>
  readonly meta_data: Map<string, string>
}

export const emptyRequest = (): RequestDraft => ({
  debug_level: 0,
  user_features: new Map(),
  item_ids: [],
  context_features: new Map(),
  faiss_neigh_num: 0,
  item_features: new Map(),
  meta_data: new Map(),
})

function readWholeRequest(reader: Reader): TorchrecRequest {
  const request = emptyRequest()
  readRequest(reader, request)
  return request
}

/** Reads up to the end of the message that `reader` is in. */
export function readRequest(reader: Reader, into: RequestDraft): void {
  const state = new FeatureState()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    switch (tag) {
      case 0x08:
        into.debug_level = reader.int32()
        break
      case 0x12:
        readFeatureEntry(reader, 'user_features', state, into.user_features)
        break
      case 0x1a:
        readText(reader, 'item_ids', into.item_ids)
        break
      case 0x22:
        readFeaturesEntry(reader, 'context_features', state, into.context_features)
        break
      case 0x28:
        into.faiss_neigh_num = reader.int32()
        break
      case 0x32:
        readFeaturesEntry(reader, 'item_features', state, into.item_features)
        break
      case 0x3a:
        readTextEntry(reader, 'meta_data', into.meta_data)
        break
      default:
        reader.skip(tag)
    }
  }
}

export function sizeOfRequest(request: TorchrecRequest, sizes: Sizes): number {
  const { debug_level, faiss_neigh_num } = request
  let size = debug_level === 0 ? 0 : 1 + sizeOfInt32(debug_level)
  size += sizeOfFeatureMap(request.user_features, sizes)
  size += sizeOfTexts(request.item_ids, sizes)
  size += sizeOfFeaturesMap(request.context_features, sizes)
  size += faiss_neigh_num === 0 ? 0 : 1 + sizeOfInt32(faiss_neigh_num)
  size += sizeOfFeaturesMap(request.item_features, sizes)
  return size + sizeOfTextMap(request.meta_data, sizes)
}

export function writeRequest(writer: Writer, request: TorchrecRequest): void {
  const { debug_level, faiss_neigh_num } = request
  if (debug_level !== 0) {
    writer.byte(0x08)
    writer.int32(debug_level)
  }
  writeFeatureMap(writer, 0x12, request.user_features)
  writeTexts(writer, 0x1a, request.item_ids)
  writeFeaturesMap(writer, 0x22, request.context_features)
  if (faiss_neigh_num !== 0) {
    writer.byte(0x28)
    writer.int32(faiss_neigh_num)
  }
  writeFeaturesMap(writer, 0x32, request.item_features)
  writeTextMap(writer, 0x3a, request.meta_data)
}

function readResponse(reader: Reader): TorchrecResponse {
  const state = new ArrayState(torchDataTypes)
  const map_outputs = new Map<string, Tensor>()
  const generate_features = new Map<string, string>()
  const raw_features = new Map<string, string>()
  const item_ids: string[] = []
  const pass_through_data = new Map<string, string>()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    switch (tag) {
      case 0x0a:
        readTensorEntry(reader, 'map_outputs', state, map_outputs)
        break
      case 0x12:
        readTextEntry(reader, 'generate_features', generate_features)
        break
      case 0x1a:
        readTextEntry(reader, 'raw_features', raw_features)
        break
      case 0x22:
        readText(reader, 'item_ids', item_ids)
        break
      case 0x2a:
        readTextEntry(reader, 'pass_through_data', pass_through_data)
        break
      default:
        reader.skip(tag)
    }
  }
  return { map_outputs, generate_features, raw_features, item_ids, pass_through_data }
}

function sizeOfResponse(response: TorchrecResponse, sizes: Sizes): number {
  let size = sizeOfTensorMap(response.map_outputs, 'map_outputs', torchDataTypes, sizes)
  size += sizeOfTextMap(response.generate_features, sizes)
  size += sizeOfTextMap(response.raw_features, sizes)
  size += sizeOfTexts(response.item_ids, sizes)
  return size + sizeOfTextMap(response.pass_through_data, sizes)
}

function writeResponse(writer: Writer, response: TorchrecResponse): void {
  writeTensorMap(writer, 0x0a, response.map_outputs, torchDataTypes)
  writeTextMap(writer, 0x12, response.generate_features)
  writeTextMap(writer, 0x1a, response.raw_features)
  writeTexts(writer, 0x22, response.item_ids)
  writeTextMap(writer, 0x2a, response.pass_through_data)
}
