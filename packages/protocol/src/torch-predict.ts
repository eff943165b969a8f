import type { Tensor } from '@eas/base'
import { ArrayState, readArrayProto, sizeOfArrayProto, toSomeTensor, toTensor, writeArrayProto } from './array-proto.ts'
import { torchDataTypes } from './data-type.ts'
import { inField } from './decode-error.ts'
import { readTensorEntry, sizeOfTensorMap, writeTensorMap } from './map-entry.ts'
import { decodeMessage, encodeMessage } from './message.ts'
import { arrayProtoSchema, mapSchema } from './schema.ts'
import { form, isWellFormed } from './well-formed.ts'
import { type Reader, type Sizes, sizeOfInt32, type Writer } from './wire.ts'

/** `pytorch.eas.PredictRequest`. */
export interface TorchPredictRequest {
  /** By position; `undefined` for an empty `ArrayProto`, which the Python and Go SDKs send for an index they skip. */
  readonly inputs: readonly (Tensor | undefined)[]
  /** Indexes of the outputs to return; all when empty. */
  readonly output_filter: readonly number[]
  readonly map_inputs: ReadonlyMap<string, Tensor>
  readonly debug_level: number
}

/** `pytorch.eas.PredictResponse`. */
export interface TorchPredictResponse {
  readonly outputs: readonly Tensor[]
  readonly map_outputs: ReadonlyMap<string, Tensor>
}

/**
 * Messages of the PyTorch processor. Tensors of floats are views of the decoded bytes where those are aligned.
 * @see proto/pytorch_predict.proto
 */
export const torchPredict = {
  /** @throws {DecodeError} */
  decodeRequest: (bytes: Uint8Array): TorchPredictRequest => decodeMessage('PredictRequest', bytes, readRequest),

  encodeRequest: (request: TorchPredictRequest): Uint8Array => encodeMessage(request, sizeOfRequest, writeRequest),

  /** @throws {DecodeError} */
  decodeResponse: (bytes: Uint8Array): TorchPredictResponse => decodeMessage('PredictResponse', bytes, readResponse),

  /** @throws {EasError} `internal` when a dtype has no number in `ArrayDataType`. */
  encodeResponse: (response: TorchPredictResponse): Uint8Array =>
    encodeMessage(response, sizeOfResponse, writeResponse),

  /** Whether the bytes are a request to the letter, with no unknown field. */
  isRequest: (bytes: Uint8Array): boolean => isWellFormed(bytes, requestSchema),
} as const

const arrayProto = arrayProtoSchema(torchDataTypes)
const requestSchema = { 1: arrayProto, 2: form.varint, 3: mapSchema(arrayProto), 100: form.varint } as const

function readRequest(reader: Reader): TorchPredictRequest {
  const state = new ArrayState(torchDataTypes)
  const inputs: (Tensor | undefined)[] = []
  const output_filter: number[] = []
  const map_inputs = new Map<string, Tensor>()
  let debug_level = 0
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    switch (tag) {
      case 0x0a:
        inputs.push(readInput(reader, state, inputs.length))
        break
      case 0x10:
        output_filter.push(reader.int32())
        break
      case 0x12:
        readInt32s(reader, output_filter)
        break
      case 0x1a:
        readTensorEntry(reader, 'map_inputs', state, map_inputs)
        break
      case 0x320:
        debug_level = reader.int32()
        break
      default:
        reader.skip(tag)
    }
  }
  return { inputs, output_filter, map_inputs, debug_level }
}

function readInput(reader: Reader, state: ArrayState, index: number): Tensor | undefined {
  try {
    state.begin(reader)
    readArrayProto(reader, state)
    return toTensor(reader, state)
  } catch (thrown) {
    throw inField(thrown, 'inputs', index)
  }
}

function readInt32s(reader: Reader, into: number[]): void {
  const outer = reader.enter()
  while (reader.pos < reader.end) into.push(reader.int32())
  reader.end = outer
}

function sizeOfRequest(request: TorchPredictRequest, sizes: Sizes): number {
  const { inputs, output_filter, map_inputs, debug_level } = request
  let size = 0
  for (const [index, input] of inputs.entries()) {
    const place = sizes.reserve()
    size += 1 + sizes.set(place, input ? sizeOfArrayProto(input, torchDataTypes, sizes, 'inputs', index) : 0)
  }
  if (output_filter.length > 0) {
    let filter = 0
    for (const index of output_filter) filter += sizeOfInt32(index)
    size += 1 + sizes.add(filter)
  }
  size += sizeOfTensorMap(map_inputs, 'map_inputs', torchDataTypes, sizes)
  return debug_level === 0 ? size : size + 2 + sizeOfInt32(debug_level)
}

function writeRequest(writer: Writer, request: TorchPredictRequest): void {
  const { inputs, output_filter, map_inputs, debug_level } = request
  for (const input of inputs) {
    writer.byte(0x0a)
    writer.length()
    if (input) writeArrayProto(writer, input, torchDataTypes)
  }
  if (output_filter.length > 0) {
    writer.byte(0x12)
    writer.length()
    for (const index of output_filter) writer.int32(index)
  }
  writeTensorMap(writer, 0x1a, map_inputs, torchDataTypes)
  if (debug_level !== 0) {
    writer.uint32(0x320)
    writer.int32(debug_level)
  }
}

function readResponse(reader: Reader): TorchPredictResponse {
  const state = new ArrayState(torchDataTypes)
  const outputs: Tensor[] = []
  const map_outputs = new Map<string, Tensor>()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) outputs.push(readOutput(reader, state, outputs.length))
    else if (tag === 0x12) readTensorEntry(reader, 'map_outputs', state, map_outputs)
    else reader.skip(tag)
  }
  return { outputs, map_outputs }
}

function readOutput(reader: Reader, state: ArrayState, index: number): Tensor {
  try {
    state.begin(reader)
    readArrayProto(reader, state)
    return toSomeTensor(reader, state)
  } catch (thrown) {
    throw inField(thrown, 'outputs', index)
  }
}

function sizeOfResponse({ outputs, map_outputs }: TorchPredictResponse, sizes: Sizes): number {
  let size = 0
  for (const [index, output] of outputs.entries()) {
    const place = sizes.reserve()
    size += 1 + sizes.set(place, sizeOfArrayProto(output, torchDataTypes, sizes, 'outputs', index))
  }
  return size + sizeOfTensorMap(map_outputs, 'map_outputs', torchDataTypes, sizes)
}

function writeResponse(writer: Writer, { outputs, map_outputs }: TorchPredictResponse): void {
  for (const output of outputs) {
    writer.byte(0x0a)
    writer.length()
    writeArrayProto(writer, output, torchDataTypes)
  }
  writeTensorMap(writer, 0x12, map_outputs, torchDataTypes)
}
