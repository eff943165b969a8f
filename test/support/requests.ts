import type { Tensor } from '@eas/base'
import { tfPredict, torchPredict } from '@eas/protocol'

/** Bodies as the SDKs write them, built with our own encoders, which the recorded vectors vouch for. */

export const torchBody = (inputs: readonly (Tensor | undefined)[], output_filter: readonly number[] = []) =>
  torchPredict.encodeRequest({ inputs, output_filter, map_inputs: new Map(), debug_level: 0 })

export const torchMapBody = (inputs: Readonly<Record<string, Tensor>>, output_filter: readonly number[] = []) =>
  torchPredict.encodeRequest({
    inputs: [],
    output_filter,
    map_inputs: new Map(Object.entries(inputs)),
    debug_level: 0,
  })

export const tfBody = (
  inputs: Readonly<Record<string, Tensor>>,
  { signature_name = '', output_filter = [] as readonly string[] } = {},
) => tfPredict.encodeRequest({ signature_name, inputs: new Map(Object.entries(inputs)), output_filter })

export const floats = (shape: readonly number[], ...data: number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(data),
})
export const longs = (shape: readonly number[], ...data: (number | bigint)[]): Tensor => ({
  dtype: 'int64',
  shape,
  data: BigInt64Array.from(data, BigInt),
})
export const texts = (shape: readonly number[], ...data: (string | Uint8Array)[]): Tensor => ({
  dtype: 'string',
  shape,
  data: data.map((text) => (typeof text === 'string' ? new TextEncoder().encode(text) : text)),
})

/** A request to the model `slow`. */
export const slowBody = (steps: number) => torchBody([longs([1], steps)])
