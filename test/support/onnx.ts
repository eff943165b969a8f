import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/**
 * Writes small ONNX models for tests: just enough of ModelProto for ONNX Runtime to open them.
 * @see onnx/onnx.proto, IR version 8
 */

/** `TensorProto.DataType`. */
export const onnxTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
} as const
export type OnnxType = keyof typeof onnxTypes

/** A dimension: fixed, free with a name, or free without one (`?`). */
export type Dim = number | string
export interface Value {
  readonly name: string
  readonly dtype: OnnxType
  readonly shape: readonly Dim[]
  /** A sequence of such tensors. */
  readonly sequence?: true
}
export interface Node {
  readonly op: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes?: Readonly<Record<string, Attribute>>
}
export type Attribute =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly text: string }
  | { readonly graph: Graph }
export interface Constant {
  readonly name: string
  readonly dtype: OnnxType
  readonly shape: readonly number[]
  readonly data: ArrayBufferView
}
export interface Graph {
  readonly nodes: readonly Node[]
  readonly inputs: readonly Value[]
  readonly outputs: readonly Value[]
  readonly constants?: readonly Constant[]
}

type Field = readonly [number: number, value: number | string | Uint8Array]

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  for (let rest = BigInt.asUintN(64, BigInt(value)); ; rest >>= 7n) {
    if (rest < 128n) return Uint8Array.from([...bytes, Number(rest)])
    bytes.push(Number(rest & 127n) | 128)
  }
}

/** A protobuf message: numbers as varints, everything else by its length. */
export function message(...fields: readonly Field[]): Uint8Array {
  return Buffer.concat(
    fields.flatMap(([number, value]) => {
      if (typeof value === 'number') return [varint(number << 3), varint(value)]
      const bytes = Buffer.from(value)
      return [varint((number << 3) | 2), varint(bytes.length), bytes]
    }),
  )
}

const dimension = (dim: Dim) =>
  typeof dim === 'number' ? message([1, dim]) : dim === '?' ? message() : message([2, dim])

function typeOf({ dtype, shape, sequence }: Value): Uint8Array {
  const dims = shape.map((dim): Field => [1, dimension(dim)])
  const tensor = message([1, message([1, onnxTypes[dtype]], [2, message(...dims)])])
  return sequence ? message([4, message([1, tensor])]) : tensor
}

const valueInfo = (value: Value) => message([1, value.name], [2, typeOf(value)])

function attribute(name: string, value: Attribute): Uint8Array {
  if ('int' in value) return message([1, name], [3, value.int], [20, 2])
  if ('text' in value) return message([1, name], [4, value.text], [20, 3])
  if ('graph' in value) return message([1, name], [6, graphProto(value.graph)], [20, 5])
  return message([1, name], ...value.ints.map((int): Field => [8, int]), [20, 7])
}

const nodeProto = ({ op, inputs, outputs, attributes = {} }: Node) =>
  message(
    ...inputs.map((name): Field => [1, name]),
    ...outputs.map((name): Field => [2, name]),
    [4, op],
    ...Object.entries(attributes).map(([name, value]): Field => [5, attribute(name, value)]),
  )

const tensorProto = ({ name, dtype, shape, data }: Constant) =>
  message(
    ...shape.map((dim): Field => [1, dim]),
    [2, onnxTypes[dtype]],
    [8, name],
    [9, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)],
  )

const graphProto = ({ nodes, inputs, outputs, constants = [] }: Graph): Uint8Array =>
  message(
    ...nodes.map((node): Field => [1, nodeProto(node)]),
    [2, 'test'],
    ...constants.map((constant): Field => [5, tensorProto(constant)]),
    ...inputs.map((value): Field => [11, valueInfo(value)]),
    ...outputs.map((value): Field => [12, valueInfo(value)]),
  )

/** The bytes of an `.onnx` file, opset 17. */
export const onnxModel = (graph: Graph): Uint8Array =>
  message([1, 8], [7, graphProto(graph)], [8, message([1, ''], [2, 17])])

/** A folder of its own, removed with `remove`, and a writer of files in it. */
export function scratch(name: string) {
  const folder = mkdtempSync(join(tmpdir(), `eas-${name}-`))
  return {
    folder,
    write(file: string, bytes: Uint8Array | string): string {
      const path = join(folder, file)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, bytes)
      return path
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
