import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Tensor } from '@eas/base'
import { compress, tfPredict } from '@eas/protocol'
import { describe, expect, it } from 'vitest'
import { toJson } from '../json-output.ts'
import { inspectMessage } from './message.ts'

// Recorded from the official clients; a name says whose message it is.
const folder = join(import.meta.dirname, '../../../../test/golden/eas-sdk')
const read = (name: string) => new Uint8Array(readFileSync(join(folder, `${name}.bin`)))
const names = readdirSync(folder)
  .filter((file) =>
    /^(?:py|java|go|resp)_(?:torch|tf|torchrec|easyrec)\b|^(?:py|java|go|resp)_(?:torch|tf|torchrec)_.*bin$/.test(file),
  )
  .filter((file) => file.endsWith('.bin'))
  .map((file) => file.slice(0, -'.bin'.length))
  // These carry a dtype without its values, or nothing at all.
  .filter((name) => !/unsupported/.test(name) && read(name).length > 0)

/** `torchrec-request` of `go_torchrec`. */
function kindOf(name: string): string {
  const [, source, family] = /^([a-z]+)_([a-z]+)/.exec(name) ?? []
  return `${family}-${source === 'resp' ? 'response' : 'request'}`
}

describe('inspectMessage()', () => {
  it.each(names)('knows %s', (name) => {
    const { json, text } = inspectMessage(name, read(name), undefined)
    expect([json.kind, json.alsoFits].flat()).toContain(kindOf(name))
    expect(JSON.parse(toJson(json)).kind).toBe(json.kind)
    expect(text).toContain(name)
  })

  it.each(['gzip', 'zlib', 'snappy', 'lz4', 'lz4_frame'] as const)('finds out %s', (compressor) => {
    const bytes = compress(compressor, read('py_tf_all_dtypes'))
    expect(inspectMessage('x', bytes, undefined).json).toMatchObject({ kind: 'tf-request', compressor })
  })

  const ids: Tensor = { dtype: 'int64', shape: [3], data: BigInt64Array.of(1n, 2n, 300n) }
  const zeros: Tensor = { dtype: 'float32', shape: [2], data: new Float32Array(2) }
  it.each([
    [
      'an input of ids, which is also a packed output_filter',
      tfPredict.encodeRequest({ signature_name: '', inputs: new Map([['ids', ids]]), output_filter: [] }),
      'tf-request',
      'torch-request',
    ],
    [
      'an output of zeros, which is also a signature_name',
      tfPredict.encodeResponse({ outputs: new Map([['y', zeros]]) }),
      'tf-response',
      'tf-request',
    ],
  ])('takes %s for the tensor', (_what, bytes, kind, other) => {
    const { json } = inspectMessage('x', bytes, undefined)
    expect(json.kind).toBe(kind)
    expect(json.alsoFits).toContain(other)
  })

  it('says why the bytes are not the message they are read as', () => {
    expect(() => inspectMessage('x.bin', read('py_tf_all_dtypes'), 'torch-request')).toThrow(
      /^Cannot inspect x.bin as torch-request: Cannot decode /,
    )
  })

  it.each(['hello, this is text and no message at all\n', '\0\0\0\0'])('knows %j not to be one', (text) => {
    expect(() => inspectMessage('x.bin', new TextEncoder().encode(text), undefined)).toThrow(
      'Cannot inspect x.bin: it is no model',
    )
  })
})
