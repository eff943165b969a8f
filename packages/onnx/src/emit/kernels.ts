import { type ElementType, isFloat } from '../element-type.ts'

/**
 * Element types that ONNX Runtime's CPU kernels take, where they are fewer than the ONNX specification allows. An operator
 * without a row takes every type. float16 is never listed: the runtime casts it to float32 and back by itself.
 * @see https://github.com/microsoft/onnxruntime/blob/main/docs/OperatorKernels.md
 */
const numbers: readonly ElementType[] = ['float32', 'float64', 'int32', 'int64']
const floats: readonly ElementType[] = ['float32', 'float64']
const float32: readonly ElementType[] = ['float32']
const kernelTypes: Readonly<Record<string, readonly ElementType[]>> = {
  Add: numbers,
  Sub: numbers,
  Mul: numbers,
  Div: numbers,
  Pow: numbers,
  Neg: [...numbers, 'int8'],
  Max: [...numbers, 'uint32', 'uint64'],
  Min: [...numbers, 'uint32', 'uint64'],
  Mod: ['float32', 'float64', 'int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'],
  Equal: [...numbers, 'bool', 'string'],
  Less: numbers,
  LessOrEqual: numbers,
  Greater: numbers,
  GreaterOrEqual: numbers,
  Where: [...numbers, 'uint8', 'string'],
  Clip: [...numbers, 'int8', 'uint8', 'uint32', 'uint64'],
  ReduceSum: numbers,
  ReduceProd: ['float32', 'int32', 'int64'],
  ReduceMean: ['float32', 'float64', 'int32'],
  ReduceMax: [...numbers, 'int8', 'uint8', 'bool'],
  ReduceMin: [...numbers, 'int8', 'uint8', 'bool'],
  ReduceL1: ['float32', 'int32'],
  ReduceL2: ['float32', 'int32'],
  ReduceLogSumExp: ['float32', 'float64', 'int32'],
  ArgMax: ['float32', 'float64', 'int32', 'int8', 'uint8'],
  ArgMin: ['float32', 'float64', 'int32', 'int8', 'uint8'],
  CumSum: numbers,
  TopK: numbers,
  MatMul: [...numbers, 'uint32', 'uint64'],
  Gemm: floats,
  Einsum: numbers,
  Pad: [...numbers, 'int8', 'uint8', 'uint32', 'uint64', 'bool'],
  Trilu: ['float32', 'float64', 'int64', 'bool'],
  NonZero: ['float32', 'int32', 'int64', 'uint8', 'bool'],
  Range: [...numbers, 'int16'],
  Unique: ['float32', 'float64', 'int8', 'int64', 'string'],
  Conv: float32,
  ConvTranspose: float32,
  AveragePool: float32,
  GlobalAveragePool: float32,
  MaxPool: ['float32', 'float64', 'int8', 'uint8'],
  LpPool: float32,
  BatchNormalization: floats,
  InstanceNormalization: float32,
  LayerNormalization: floats,
  Resize: ['float32', 'int32', 'int8', 'uint8'],
  GridSample: float32,
  RoiAlign: floats,
  LSTM: float32,
  GRU: float32,
  RNN: float32,
  Gelu: float32,
  Erf: float32,
  HardSigmoid: float32,
  HardSwish: float32,
  Elu: float32,
  Celu: float32,
  Selu: float32,
  LeakyRelu: float32,
  ThresholdedRelu: float32,
  Softplus: float32,
  Softsign: float32,
  Mish: float32,
  PRelu: [...numbers],
  Relu: ['float32', 'float64', 'int32', 'int8'],
  Sigmoid: floats,
  Tanh: floats,
  Exp: floats,
  Log: floats,
  Sqrt: floats,
  Reciprocal: floats,
  Floor: floats,
  Ceil: floats,
  Round: floats,
  Sin: floats,
  Cos: floats,
  Tan: float32,
  Asin: float32,
  Acos: float32,
  Atan: float32,
  Sinh: float32,
  Cosh: float32,
  Asinh: float32,
  Acosh: float32,
  Atanh: float32,
  Softmax: floats,
  LogSoftmax: floats,
  IsNaN: floats,
  IsInf: floats,
  DFT: floats,
  Col2Im: ['float32', 'float64', 'int32', 'int64', 'uint8', 'bool'],
}

/** The type to compute `op` in for operands of `dtype`: the nearest wider one that has a kernel. */
export function kernelType(op: string, dtype: ElementType): ElementType {
  const types = kernelTypes[op]
  if (!types || dtype === 'float16' || types.includes(dtype)) return dtype
  if (isFloat(dtype)) return 'float32'
  const wider =
    dtype === 'bool' && types.includes('uint8')
      ? 'uint8'
      : dtype === 'uint32' || dtype === 'uint64' || dtype === 'int64'
        ? 'int64'
        : 'int32'
  if (types.includes(wider)) return wider
  return types.includes('int64') ? 'int64' : types.includes('float64') ? 'float64' : 'float32'
}
