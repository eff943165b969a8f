import type { ElementType } from './element-type.ts'

/**
 * An ONNX model as plain data. Fields keep the names of onnx.proto; what a reader does not need is left out.
 * @see https://github.com/onnx/onnx/blob/v1.16.0/onnx/onnx.proto3
 */
export interface Model {
  readonly ir_version: number
  readonly producer_name: string
  readonly producer_version: string
  /** Domain → version; the default domain is `''`. */
  readonly opset_import: Readonly<Record<string, number>>
  readonly graph: Graph
  readonly metadata_props: Readonly<Record<string, string>>
  /** Functions of the model, as their bytes. */
  readonly functions: readonly Uint8Array[]
}

export interface Graph {
  readonly name: string
  readonly node: readonly Node[]
  readonly initializer: readonly Initializer[]
  readonly input: readonly ValueInfo[]
  readonly output: readonly ValueInfo[]
  readonly value_info: readonly ValueInfo[]
}

/** A node. An absent optional input or output is `''`. */
export interface Node {
  readonly op_type: string
  readonly domain: string
  readonly name: string
  readonly input: readonly string[]
  readonly output: readonly string[]
  readonly attribute: Readonly<Record<string, Attribute>>
}

/** One value, under the name of its kind. `other` is an attribute of a kind nothing here makes, as its bytes. */
export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly ints: readonly number[] }
  | { readonly floats: readonly number[] }
  | { readonly strings: readonly string[] }
  | { readonly tensor: TensorData }
  | { readonly graph: Graph }
  | { readonly other: Uint8Array }

/** Elements of a constant: bytes in row-major little-endian order, strings, or a range of a file beside the model. */
export type Content =
  | { readonly bytes: Uint8Array }
  | { readonly strings: readonly Uint8Array[] }
  | { readonly external: ExternalRange }

/** A range of a file. `location` is relative to the model's folder. */
export interface ExternalRange {
  readonly location: string
  readonly offset: number
  readonly length: number
}

export interface TensorData {
  readonly dtype: ElementType
  readonly shape: readonly number[]
  readonly content: Content
}

export interface Initializer extends TensorData {
  readonly name: string
}

/** Name and type of a tensor; a label or `undefined` (unknown) stands for a size that is not fixed. */
export interface ValueInfo {
  readonly name: string
  readonly dtype: ElementType
  /** Absent when even the rank is unknown. */
  readonly shape?: readonly (number | string | undefined)[]
}
