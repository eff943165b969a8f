import type { Tensor } from '@eas/base'
import { ArrayState } from './array-proto.ts'
import { tfDataTypes } from './data-type.ts'
import { inField } from './decode-error.ts'
import { readTensorEntry, readText, sizeOfTensorMap, sizeOfTexts, writeTensorMap, writeTexts } from './map-entry.ts'
import { decodeMessage, encodeMessage } from './message.ts'
import { arrayProtoSchema, mapSchema } from './schema.ts'
import { form, isWellFormed } from './well-formed.ts'
import { type Reader, type Sizes, sizeOfUtf8, type Writer } from './wire.ts'

/** `PredictRequest` of the TensorFlow processor. */
export interface TfPredictRequest {
  /** Empty for the default signature. */
  readonly signature_name: string
  readonly inputs: ReadonlyMap<string, Tensor>
  /** Names of the outputs to return; all of the signature when empty. */
  readonly output_filter: readonly string[]
}

/** `PredictResponse` of the TensorFlow processor. */
export interface TfPredictResponse {
  readonly outputs: ReadonlyMap<string, Tensor>
}

/**
 * Messages of the TensorFlow processor. Tensors of floats are views of the decoded bytes where those are aligned.
 * @see proto/tf_predict.proto
 */
export const tfPredict = {
  /** @throws {DecodeError} */
  decodeRequest: (bytes: Uint8Array): TfPredictRequest => decodeMessage('PredictRequest', bytes, readRequest),

  encodeRequest: (request: TfPredictRequest): Uint8Array => encodeMessage(request, sizeOfRequest, writeRequest),

  /** @throws {DecodeError} */
  decodeResponse: (bytes: Uint8Array): TfPredictResponse => decodeMessage('PredictResponse', bytes, readResponse),

  /** @throws {EasError} `internal` when a dtype has no number in `ArrayDataType`. */
  encodeResponse: (response: TfPredictResponse): Uint8Array => encodeMessage(response, sizeOfResponse, writeResponse),

  /** Whether the bytes are a request to the letter, with no unknown field. */
  isRequest: (bytes: Uint8Array): boolean => isWellFormed(bytes, requestSchema),
} as const

const requestSchema = { 1: form.text, 2: mapSchema(arrayProtoSchema(tfDataTypes)), 3: form.text } as const

function readRequest(reader: Reader): TfPredictRequest {
  const state = new ArrayState(tfDataTypes)
  const inputs = new Map<string, Tensor>()
  const output_filter: string[] = []
  let signature_name = ''
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    switch (tag) {
      case 0x0a:
        signature_name = readSignatureName(reader)
        break
      case 0x12:
        readTensorEntry(reader, 'inputs', state, inputs)
        break
      case 0x1a:
        readText(reader, 'output_filter', output_filter)
        break
      default:
        reader.skip(tag)
    }
  }
  return { signature_name, inputs, output_filter }
}

function readSignatureName(reader: Reader): string {
  try {
    return reader.string()
  } catch (thrown) {
    throw inField(thrown, 'signature_name')
  }
}

function sizeOfRequest({ signature_name, inputs, output_filter }: TfPredictRequest, sizes: Sizes): number {
  const signature = signature_name === '' ? 0 : 1 + sizes.add(sizeOfUtf8(signature_name))
  return signature + sizeOfTensorMap(inputs, 'inputs', tfDataTypes, sizes) + sizeOfTexts(output_filter, sizes)
}

function writeRequest(writer: Writer, { signature_name, inputs, output_filter }: TfPredictRequest): void {
  if (signature_name !== '') {
    writer.byte(0x0a)
    writer.string(signature_name)
  }
  writeTensorMap(writer, 0x12, inputs, tfDataTypes)
  writeTexts(writer, 0x1a, output_filter)
}

function readResponse(reader: Reader): TfPredictResponse {
  const state = new ArrayState(tfDataTypes)
  const outputs = new Map<string, Tensor>()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) readTensorEntry(reader, 'outputs', state, outputs)
    else reader.skip(tag)
  }
  return { outputs }
}

const sizeOfResponse = ({ outputs }: TfPredictResponse, sizes: Sizes): number =>
  sizeOfTensorMap(outputs, 'outputs', tfDataTypes, sizes)

const writeResponse = (writer: Writer, { outputs }: TfPredictResponse): void =>
  writeTensorMap(writer, 0x0a, outputs, tfDataTypes)
