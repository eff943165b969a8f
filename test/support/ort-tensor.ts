import { Tensor } from 'onnxruntime-node'

/**
 * A tensor for ONNX Runtime, halves as their bits. From Node 24 on its class makes a Float16Array of those, in which its binding
 * then finds no bytes.
 */
export const ortTensor = (dtype: string, data: ArrayBufferView, shape: readonly number[]): Tensor =>
  dtype === 'float16'
    ? Object.assign(new Tensor('uint16', data as Uint16Array, shape), { type: dtype })
    : new Tensor(dtype as 'float32', data as Float32Array, shape) // the callers' arrays are those of the type

/** What it holds; halves as their bits. */
export function ortData({ type, data }: Tensor): Tensor['data'] {
  if (type !== 'float16' || data instanceof Uint16Array) return data
  const { buffer, byteOffset, byteLength } = data as ArrayBufferView // a Float16Array
  return new Uint16Array(buffer, byteOffset, byteLength / 2)
}
