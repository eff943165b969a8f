import { emit, refuse, type Value } from '@eas/onnx'
import type { Call } from '../call.ts'
import { TensorRef } from '../tensor-ref.ts'
import { type Py, PyList, PyObject, PyTuple } from '../values.ts'

/**
 * Objects of torch's C++ classes that hold the weights of quantised layers. Code makes them by `*_prepack`; a frozen archive
 * holds them ready, as the state of `__getstate__`.
 * @see aten/src/ATen/native/quantized/cpu/conv_serialization.h, LinearUnpackImpl.cpp, native/RNN.cpp (2.4)
 */

export interface PackedConv {
  readonly weight: Value
  readonly bias: Value | undefined
  readonly stride: readonly number[]
  readonly padding: readonly number[]
  readonly dilation: readonly number[]
  readonly outputPadding: readonly number[]
  readonly groups: number
  readonly isTransposed: boolean
}

export interface PackedLinear {
  /** `[N, K]`, quantised; plain float when packed as fp16. */
  readonly weight: Value
  readonly bias: Value | undefined
}

/** The weights of one layer in one direction of a dynamically quantised recurrent network. */
export interface PackedCell {
  readonly input: PackedLinear
  readonly hidden: PackedLinear
}

/** An object as `*_prepack` gives it: what it was made of, by name. */
export function packed(type: string, parts: Readonly<Record<string, Py>>): PyObject {
  return new PyObject(`__torch__.torch.classes.${type}`, new Map(Object.entries(parts)))
}

export function packedConv(c: Call, name: string): PackedConv {
  const object = objectOf(c, name)
  if (object.state === undefined) {
    const list = (part: string) => numbersOf(c, object.attributes.get(part) ?? null)
    return {
      ...weightAndBias(c, object),
      stride: list('stride'),
      padding: list('padding'),
      dilation: list('dilation'),
      outputPadding: list('output_padding'),
      groups: list('groups')[0] ?? 1,
      isTransposed: list('transposed')[0] === 1,
    }
  }
  // ('2', [config, weight], [bias]): config holds the rank, then a number per axis of each list, groups and flags.
  const [version, tensors, optional] = itemsOf(object.state)
  if (version !== '2') throw refuse(`packed parameters of version ${String(version)}`)
  const [config, weight] = itemsOf(tensors ?? null)
  const [bias] = itemsOf(optional ?? null)
  const all = numbersOf(c, config ?? null)
  const rank = all[0] ?? 0
  const part = (i: number) => all.slice(1 + i * rank, 1 + (i + 1) * rank)
  return {
    weight: scalarValue(c, weight),
    bias: bias instanceof TensorRef ? c.vm.read(bias) : undefined,
    stride: part(0),
    padding: part(1),
    dilation: part(2),
    outputPadding: part(3),
    groups: all[1 + 4 * rank] ?? 1,
    isTransposed: ((all[2 + 4 * rank] ?? 0) & 1) === 1,
  }
}

export function packedLinear(c: Call, name: string): PackedLinear {
  return linearOf(c, objectOf(c, name))
}

function linearOf(c: Call, object: Py): PackedLinear {
  if (!(object instanceof PyObject)) throw refuse('a quantised linear layer without its packed weights')
  if (object.state === undefined) return weightAndBias(c, object)
  const [weight, bias] = itemsOf(object.state)
  return { weight: scalarValue(c, weight), bias: bias instanceof TensorRef ? c.vm.read(bias) : undefined }
}

/** `params` of `quantized_lstm` and `quantized_gru`: an object per layer and direction; before torch 1.6 two linear layers each. */
export function packedCells(c: Call): PackedCell[] {
  const params = c.items('params')
  const isLinear = (v: Py | undefined): boolean => v instanceof PyObject && v.attributes.has('weight')
  if (params.every(isLinear)) {
    const linears = params.map((linear) => linearOf(c, linear))
    return linears.flatMap((input, i) => {
      const hidden = linears[i + 1]
      return i % 2 === 0 && hidden ? [{ input, hidden }] : []
    })
  }
  return params.map((cell) => {
    if (!(cell instanceof PyObject)) throw refuse(`${c.name} without its packed weights`)
    if (cell.state === undefined) {
      const side = (weight: string) => linearOf(c, cell.attributes.get(weight) ?? null)
      return { input: side('w_ih'), hidden: side('w_hh') }
    }
    // (kind, [b_ih, b_hh], doubles, longs, [w_ih, w_hh]): torch computes with the biases that are packed with the weights.
    const [kind, , , , linears] = itemsOf(cell.state)
    const [input, hidden] = itemsOf(linears ?? null)
    if (input === undefined || hidden === undefined) throw refuse(`a recurrent layer packed as ${String(kind)}`)
    return { input: linearOf(c, input), hidden: linearOf(c, hidden) }
  })
}

/** The table of a quantised embedding: rows of bytes with a scale and a zero point each, both float. */
export function packedEmbedding(c: Call, name: string): Value {
  const object = objectOf(c, name)
  if (object.state === undefined) return scalarValue(c, object.attributes.get('weight'))
  const [, tensors] = itemsOf(object.state)
  return scalarValue(c, itemsOf(tensors ?? null)[0])
}

function objectOf(c: Call, name: string): PyObject {
  const object = c.py(name)
  if (object instanceof PyObject) return object
  throw refuse(`${c.name} without its packed weights`)
}

function weightAndBias(c: Call, object: PyObject): PackedLinear {
  const bias = object.attributes.get('bias')
  return {
    weight: scalarValue(c, object.attributes.get('weight')),
    bias: bias instanceof TensorRef ? c.vm.read(bias) : undefined,
  }
}

function scalarValue(c: Call, v: Py | undefined): Value {
  if (v instanceof TensorRef) return c.vm.read(v)
  throw refuse(`packed parameters of ${c.name} that hold no weight`)
}

const itemsOf = (v: Py): readonly Py[] => (v instanceof PyTuple || v instanceof PyList ? v.items : [])

/** Ints of a list, or of a small constant tensor. */
function numbersOf(c: Call, v: Py): number[] {
  if (v instanceof TensorRef) {
    const x = c.vm.read(v)
    const known = x.elements ?? c.vm.archive.numbers(x)
    if (!known) throw refuse(`packed parameters of ${c.name} that are not constant`)
    return known.map((d) => c.fixed(d))
  }
  return itemsOf(v).map((item) => (typeof item === 'bigint' || typeof item === 'boolean' ? Number(item) : Number.NaN))
}

/** A quantised weight as numbers, for layers that compute in float. */
export function floatWeight(c: Call, w: Value): Value {
  if (!w.quant) return w
  const { scale, zeroPoint, axis } = w.quant
  const inputs = [plain(w), emit.cast(c.g, scale, 'float32'), emit.cast(c.g, zeroPoint, w.dtype)]
  return c.g.one('DequantizeLinear', inputs, 'float32', w.shape, { axis: axis ?? undefined })
}

/** The integers of a quantised tensor, for a node that asks for integers. A value that a node gave is known by itself only. */
export function plain(x: Value): Value {
  const { quant, ...rest } = x
  return x.content || x.elements ? rest : x
}
