import { oneLine } from '@eas/base'
import type { EasRequestHead } from '@eas/protocol'

/** Of an id in the log: what identifies anything is shorter. */
const idCharsMax = 100

/** `X-Request-Id`, for the log, without what a terminal would take for a command. */
export function headerRequestId({ headers }: EasRequestHead): string | undefined {
  const id = headers['x-request-id']
  return id === undefined ? undefined : oneLine(id, idCharsMax)
}

/** `meta_data` of a PBRequest, `map<string, string>`. @see proto/torchrec_predict.proto */
const metaData = 7
const [key, value] = [1, 2]
const [varint, fixed64, lengthDelimited, fixed32] = [0, 1, 2, 5]
const name = Buffer.from('request_id')

/** Fields of a request that are looked at, a millisecond of the event loop. A request has one for each item, at most 10,000. */
const fieldsMax = 50_000

/** Entries of `meta_data` that are looked at, and fields of each, of which it has two. */
const entriesMax = 1000
const entryFieldsMax = 4

/**
 * `meta_data["request_id"]` of a TorchRec request, for the log: found by its place in the bytes, a microsecond's work, since
 * only workers decode requests, and not those that fail. `undefined` where there is none, or the body is compressed.
 */
export function torchrecRequestId(body: Uint8Array): string | undefined {
  const fields = new Fields(body, 0, body.length, fieldsMax)
  let found: string | undefined
  let entries = 0
  while (fields.next()) {
    if (fields.field === metaData && entries++ < entriesMax) found = entryOf(body, fields.start, fields.at) ?? found
  }
  return found === undefined || found === '' ? undefined : oneLine(found, idCharsMax)
}

/** The value of an entry whose key is `request_id`. */
function entryOf(body: Uint8Array, start: number, end: number): string | undefined {
  const fields = new Fields(body, start, end, entryFieldsMax)
  let isNamed = false
  let found: string | undefined
  while (fields.next()) {
    const size = fields.at - fields.start
    const bytes = Buffer.from(body.buffer, body.byteOffset + fields.start, Math.min(size, idBytesMax))
    if (fields.field === key) isNamed = name.equals(bytes)
    else if (fields.field === value) found = bytes.toString()
  }
  return isNamed ? found : undefined
}

/** Of an id, more than `idCharsMax` characters take. */
const idBytesMax = 4 * (idCharsMax + 2)

/** Goes from one length-delimited field to the next, as far as the bytes make sense. */
class Fields {
  field = 0
  start = 0
  /** Behind the field. */
  at: number
  private readonly bytes: Uint8Array
  private readonly end: number
  private left: number

  /** @param left Fields that are looked at. */
  constructor(bytes: Uint8Array, start: number, end: number, left: number) {
    this.bytes = bytes
    this.at = start
    this.end = end
    this.left = left
  }

  next(): boolean {
    while (this.at < this.end && this.left-- > 0) {
      const tag = this.varint()
      const type = tag % 8
      if (type === lengthDelimited) {
        const size = this.varint()
        this.field = (tag - type) / 8
        this.start = this.at
        this.at += size
        return this.at <= this.end
      }
      if (type === varint) this.varint()
      else if (type === fixed64) this.at += 8
      else if (type === fixed32) this.at += 4
      else return false
    }
    return false
  }

  private varint(): number {
    let value = 0
    for (let shift = 1; this.at < this.end; shift *= 128) {
      const byte = this.bytes[this.at++] as number // at < end
      value += (byte & 127) * shift
      if (byte < 128 || shift > 2 ** 63) return value
    }
    return Number.NaN
  }
}
