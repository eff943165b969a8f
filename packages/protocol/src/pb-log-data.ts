import { inField } from './decode-error.ts'
import { readTextEntry, sizeOfTextMap, writeTextMap } from './map-entry.ts'
import { decodeMessage, encodeMessage } from './message.ts'
import { emptyRequest, readRequest, sizeOfRequest, type TorchrecRequest, writeRequest } from './torchrec-predict.ts'
import type { Reader, Sizes, Writer } from './wire.ts'

/** `PBLogData`: a request of the TorchEasyRec processor as it is kept on disk, with the features made of it. */
export interface PBLogData {
  readonly request: TorchrecRequest
  readonly raw_features: ReadonlyMap<string, string>
  readonly generate_features: ReadonlyMap<string, string>
}

/** @see proto/torchrec_predict.proto */
export const pbLogData = {
  /** @throws {DecodeError} */
  decode: (bytes: Uint8Array): PBLogData => decodeMessage('PBLogData', bytes, readLogData),

  encode: (log: PBLogData): Uint8Array => encodeMessage(log, sizeOfLogData, writeLogData),
} as const

function readLogData(reader: Reader): PBLogData {
  const request = emptyRequest()
  const raw_features = new Map<string, string>()
  const generate_features = new Map<string, string>()
  while (reader.pos < reader.end) {
    const tag = reader.tag()
    if (tag === 0x0a) {
      const outer = reader.enter()
      try {
        readRequest(reader, request)
      } catch (thrown) {
        throw inField(thrown, 'request')
      }
      reader.end = outer
    } else if (tag === 0x12) readTextEntry(reader, 'raw_features', raw_features)
    else if (tag === 0x1a) readTextEntry(reader, 'generate_features', generate_features)
    else reader.skip(tag)
  }
  return { request, raw_features, generate_features }
}

function sizeOfLogData({ request, raw_features, generate_features }: PBLogData, sizes: Sizes): number {
  const place = sizes.reserve()
  const size = 1 + sizes.set(place, sizeOfRequest(request, sizes))
  return size + sizeOfTextMap(raw_features, sizes) + sizeOfTextMap(generate_features, sizes)
}

function writeLogData(writer: Writer, { request, raw_features, generate_features }: PBLogData): void {
  writer.byte(0x0a)
  writer.length()
  writeRequest(writer, request)
  writeTextMap(writer, 0x12, raw_features)
  writeTextMap(writer, 0x1a, generate_features)
}
