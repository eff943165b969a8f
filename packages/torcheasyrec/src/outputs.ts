import { type DType, EasError, formatShape, fromBfloat16, fromHalf, sizeOf, type Tensor } from '@eas/base'

type Scores = Tensor & { readonly dtype: 'float32' | 'float64' }

/** Float32 holds these exactly; of the rest only float64 does, or nearly. */
const asFloat32: { readonly [D in DType]?: (tensor: Tensor) => Float32Array } = {
  float16: ({ data }) => Float32Array.from(data as Uint16Array, fromHalf), // the dtype's array
  bfloat16: ({ data }) => Float32Array.from(data as Uint16Array, fromBfloat16), // the dtype's array
  bool: numbers,
  int8: numbers,
  uint8: numbers,
  int16: numbers,
  uint16: numbers,
}
const asFloat64: { readonly [D in DType]?: (tensor: Tensor) => Float64Array } = {
  int32: doubles,
  uint32: doubles,
  int64: doubles,
  uint64: doubles,
}

function numbers({ data }: Tensor): Float32Array {
  return Float32Array.from(data as ArrayLike<number>, Number) // rows of `asFloat32` are arrays of numbers
}

function doubles({ data }: Tensor): Float64Array {
  return Float64Array.from(data as ArrayLike<number | bigint>, Number) // rows of `asFloat64` are arrays of these
}

/**
 * An output as clients of the processor read it: FLOAT or DOUBLE. PAI-Rec drops other types without a word.
 * @throws {EasError} `internal` for one that is not of numbers.
 */
export function scoresOf(name: string, tensor: Tensor): Scores {
  const { dtype, shape, data } = tensor
  if (dtype === 'float32' || dtype === 'float64') return { dtype, shape, data } as Scores // as is
  const single = asFloat32[dtype]
  if (single) return { dtype: 'float32', shape, data: single(tensor) }
  const double = asFloat64[dtype]
  if (double) return { dtype: 'float64', shape, data: double(tensor) }
  throw new EasError('internal', `Prediction failed: output ${name} is ${dtype}, which is no score`)
}

/**
 * Exactly one row per item. PAI-Rec reads as many as it has asked for, and panics where there are fewer.
 *
 * @param tensor `[rows, …]`; of one row, or a scalar, which then stands for every item.
 * @throws {EasError} `internal` for any other number of rows.
 */
export function rowPerItem(name: string, tensor: Scores, rows: number): Scores {
  const [own = 1, ...rest] = tensor.shape
  const size = sizeOf(rest)
  if (own === rows && tensor.shape.length > 0) return tensor
  if (own !== 1 || tensor.data.length !== size) {
    throw new EasError(
      'internal',
      `Prediction failed: output ${name} is ${formatShape(tensor.shape)} for ${rows} items`,
    )
  }
  const data = tensor.dtype === 'float32' ? new Float32Array(rows * size) : new Float64Array(rows * size)
  for (let row = 0; row < rows; row++) data.set(tensor.data, row * size)
  return { dtype: tensor.dtype, shape: [rows, ...rest], data } as Scores // the dtype chose the array
}

/** Writes `score` over the rows of unknown items. */
export function markUnknown({ shape, data }: Scores, unknown: Uint8Array, score: number): void {
  const [rows = 0] = shape
  const width = data.length / Math.max(1, rows)
  for (let row = 0; row < rows; row++) if (unknown[row] === 1) data.fill(score, row * width, (row + 1) * width)
}
