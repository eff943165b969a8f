import { oneLine } from '@eas/base'

/** `meta_data` of a PBRequest, `map<string, string>`. @see proto/torchrec_predict.proto */
const metaData = 7
const [varint, fixed64, lengthDelimited, fixed32] = [0, 1, 2, 5]
const name = Buffer.from('request_id')

/**
 * `meta_data["request_id"]` of a TorchRec request, for the log: found by its place in the bytes, a microsecond's work, since
 * only workers decode requests, and not those that fail. `undefined` where there is none, or the body is compressed.
 */
export function torchrecRequestId(body: Uint8Array): string | undefined {
  let found: string | undefined
  for (const { field, start, end } of fieldsOf(body, 0, body.length)) {
    if (field !== metaData) continue
    const [key, value] = entryOf(body, start, end)
    if (key && value && name.equals(body.subarray(key.start, key.end))) {
      found = Buffer.from(body.buffer, body.byteOffset + value.start, value.end - value.start).toString()
    }
  }
  return found === undefined || found === '' ? undefined : oneLine(found, 100)
}

interface Field {
  readonly field: number
  readonly start: number
  readonly end: number
}

function entryOf(body: Uint8Array, start: number, end: number): readonly [Field | undefined, Field | undefined] {
  const fields = [...fieldsOf(body, start, end)]
  return [fields.find(({ field }) => field === 1), fields.find(({ field }) => field === 2)]
}

/** The length-delimited fields between two places, as far as the bytes make sense. */
function* fieldsOf(body: Uint8Array, from: number, to: number): Generator<Field, void, void> {
  let at = from
  const readVarint = () => {
    let value = 0
    for (let shift = 1; at < to; shift *= 128) {
      const byte = body[at++] as number // at < to
      value += (byte & 127) * shift
      if (byte < 128 || shift > 2 ** 63) return value
    }
    return Number.NaN
  }
  while (at < to) {
    const tag = readVarint()
    const type = tag % 8
    if (type === lengthDelimited) {
      const size = readVarint()
      const [start, end] = [at, at + size]
      if (!(end <= to)) return
      at = end
      yield { field: (tag - type) / 8, start, end }
    } else if (type === varint) readVarint()
    else if (type === fixed64) at += 8
    else if (type === fixed32) at += 4
    else return
  }
}
