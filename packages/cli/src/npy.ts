import {
  assert,
  type DType,
  dtypes,
  EasError,
  formatShape,
  fromBfloat16,
  limits,
  type NumericDType,
  oneLine,
  sizeOf,
  type Tensor,
} from '@eas/base'

/**
 * NumPy's file format, versions 1 to 3.
 * @see numpy/lib/format.py of NumPy 1.26, "Format Version 1.0"
 */

const magic = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59)

export const isNpy = (bytes: Uint8Array): boolean => magic.every((byte, i) => bytes[i] === byte)

/** Kind and size of a `descr`, as `<f4` has them, and the dtype they are. The number after is what has to be swapped. */
const numericTypes: { readonly [code: string]: readonly [NumericDType, number] } = {
  f2: ['float16', 2],
  f4: ['float32', 4],
  f8: ['float64', 8],
  i1: ['int8', 1],
  i2: ['int16', 2],
  i4: ['int32', 4],
  i8: ['int64', 8],
  u1: ['uint8', 1],
  u2: ['uint16', 2],
  u4: ['uint32', 4],
  u8: ['uint64', 8],
  b1: ['bool', 1],
  c8: ['complex64', 4],
  c16: ['complex128', 8],
}

/** Kinds that hold no values a service takes. */
const refusedKinds: { readonly [kind: string]: string } = {
  f: 'wider than a double; save it as float64',
  c: 'wider than two doubles; save it as complex128',
  O: 'Python objects, which are not read',
  V: 'raw records; save one field, or another dtype',
  M: 'dates; save them as integers',
  m: 'durations; save them as integers',
}

/**
 * The array of a .npy file, row-major: big-endian values are swapped and Fortran order is transposed.
 *
 * @param name Of the file, for messages.
 * @throws {EasError} `invalid_request` naming the file and what cannot be read.
 */
export function readNpy(bytes: Uint8Array, name: string): Tensor {
  const fail = (facts: string) => new EasError('invalid_request', `Cannot read ${name}: ${facts}`)
  if (!isNpy(bytes)) throw fail('it does not begin as a .npy file')
  const { descr, fortran_order, shape, dataOffset } = readHeader(bytes, fail)
  const size = sizeOf(shape)
  if (size === undefined || shape.length > limits.rank) throw fail(`its shape ${formatShape(shape)} is too large`)

  const [, order = '', kind = '', width = ''] = /^([<>|=]?)([a-zA-Z?])(\d*)(?:\[.*\])?$/.exec(descr) ?? []
  const code = kind === '?' ? 'b1' : kind + width
  const numeric = Object.hasOwn(numericTypes, code) ? numericTypes[code] : undefined
  const elementBytes = numeric
    ? numeric[1] * dtypes[numeric[0]].perElement
    : Number(width) * (kind === 'U' ? 4 : kind === 'S' || kind === 'a' ? 1 : Number.NaN)
  if (Number.isNaN(elementBytes)) {
    const known = Object.hasOwn(refusedKinds, kind) ? `, ${refusedKinds[kind]}` : ''
    throw fail(`its dtype is ${oneLine(descr, 40)}${known}`)
  }
  const held = bytes.length - dataOffset
  if (held !== size * elementBytes) {
    throw fail(`${formatShape(shape)} of ${descr} takes ${size * elementBytes} bytes, it holds ${held}`)
  }
  // Strings of no width take no bytes, so that the size of the file does not bound their number.
  if (!numeric && size > limits.messageParts)
    throw fail(`it holds ${size} strings, ${limits.messageParts} at most are read`)
  // A copy begins at offset 0, where every array type may; it is also what is swapped.
  const data = new Uint8Array(bytes.subarray(dataOffset))
  const tensor = numeric
    ? numericTensor(numeric, order, shape, data)
    : stringTensor(kind, order, shape, data, elementBytes, size)
  return fortran_order ? transposed(tensor) : tensor
}

interface Header {
  readonly descr: string
  readonly fortran_order: boolean
  readonly shape: readonly number[]
  readonly dataOffset: number
}

function readHeader(bytes: Uint8Array, fail: (facts: string) => EasError): Header {
  const major = bytes[6] ?? 0
  if (major < 1 || major > 3) throw fail(`its format version is ${major}, versions 1 to 3 are read`)
  const lengthBytes = major === 1 ? 2 : 4
  if (bytes.length < 8 + lengthBytes) throw fail('it ends within its header')
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  const headerBytes = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  const dataOffset = 8 + lengthBytes + headerBytes
  if (headerBytes > limits.npyHeaderBytes) throw fail(`its header claims ${headerBytes} bytes`)
  if (dataOffset > bytes.length) throw fail('it ends within its header')
  const header = new TextDecoder(major === 3 ? 'utf-8' : 'latin1').decode(bytes.subarray(8 + lengthBytes, dataOffset))

  // A Python dict; NumPy always writes these three keys, in this order, but promises none.
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1]
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1]
  const dims = /'shape'\s*:\s*\(([\d\s,L]*)\)/.exec(header)?.[1]
  if (/'descr'\s*:\s*\[/.test(header)) throw fail('it holds records of several fields; save one field')
  if (descr === undefined || order === undefined || dims === undefined) {
    throw fail(`its header is ${JSON.stringify(oneLine(header.trim(), 120))}`)
  }
  const shape = dims
    .split(',')
    .map((dim) => dim.trim().replace(/L$/, ''))
    .filter((dim) => dim !== '')
    .map(Number)
  return { descr, fortran_order: order === 'True', shape, dataOffset }
}

function numericTensor(
  [dtype, swapBytes]: readonly [NumericDType, number],
  order: string,
  shape: readonly number[],
  data: Uint8Array<ArrayBuffer>,
): Tensor {
  if (order === '>') swap(data, swapBytes)
  const values = new dtypes[dtype].array(data.buffer, 0, data.byteLength / dtypes[dtype].array.BYTES_PER_ELEMENT)
  if (dtype === 'bool') for (let i = 0; i < values.length; i++) values[i] = values[i] ? 1 : 0
  return { dtype, shape, data: values } as Tensor // the array is the one of the dtype's row
}

function swap(data: Uint8Array, size: number): void {
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  if (size === 2) buffer.swap16()
  else if (size === 4) buffer.swap32()
  else if (size === 8) buffer.swap64()
}

/** Elements of a fixed width, padded with NUL: `S` are bytes, `U` are UCS-4 characters, which become UTF-8. */
function stringTensor(
  kind: string,
  order: string,
  shape: readonly number[],
  data: Uint8Array,
  elementBytes: number,
  size: number,
): Tensor {
  if (kind === 'U' && order === '>') swap(data, 4)
  const view = new DataView(data.buffer)
  const strings: Uint8Array[] = []
  for (let i = 0; i < size; i++) {
    const start = i * elementBytes
    let end = start + elementBytes
    if (kind === 'U') {
      let text = ''
      while (end > start && view.getUint32(end - 4, true) === 0) end -= 4
      for (let at = start; at < end; at += 4) {
        const point = view.getUint32(at, true)
        text += point <= 0x10ffff ? String.fromCodePoint(point) : '\ufffd'
      }
      strings.push(new TextEncoder().encode(text))
    } else {
      while (end > start && data[end - 1] === 0) end--
      strings.push(data.slice(start, end))
    }
  }
  return { dtype: 'string', shape, data: strings }
}

/** The tensor whose column-major values these are, row-major. */
function transposed(tensor: Tensor): Tensor {
  const { dtype, shape, data } = tensor
  const size = sizeOf(shape) ?? 0
  const each = dtype === 'string' ? 1 : dtypes[dtype].perElement
  const strides: number[] = []
  let stride = 1
  for (const dim of shape) {
    strides.push(stride)
    stride *= dim
  }
  const index = shape.map(() => 0)
  const moved: (number | bigint | Uint8Array)[] | Tensor['data'] = dtype === 'string' ? [] : data.slice()
  let from = 0
  for (let to = 0; to < size; to++) {
    for (let part = 0; part < each; part++) {
      const value = data[from * each + part]
      assert(value !== undefined, 'an index within the array')
      ;(moved as (typeof value)[])[to * each + part] = value // an array of the same kind as `data`
    }
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const dim = shape[axis] ?? 0
      const step = strides[axis] ?? 0
      index[axis] = (index[axis] ?? 0) + 1
      from += step
      if ((index[axis] ?? 0) < dim) break
      from -= step * dim
      index[axis] = 0
    }
  }
  return { dtype, shape, data: moved } as Tensor // as above
}

/** What each dtype is called in a `descr`. NumPy has no bfloat16; it is written as float32, which holds every value of it. */
const descrs: { readonly [D in Exclude<DType, 'string'>]: string } = {
  float32: '<f4',
  float64: '<f8',
  float16: '<f2',
  bfloat16: '<f4',
  int8: '|i1',
  int16: '<i2',
  int32: '<i4',
  int64: '<i8',
  uint8: '|u1',
  uint16: '<u2',
  uint32: '<u4',
  uint64: '<u8',
  bool: '|b1',
  qint8: '|i1',
  quint8: '|u1',
  qint16: '<i2',
  quint16: '<u2',
  qint32: '<i4',
  complex64: '<c8',
  complex128: '<c16',
}

/** A .npy file of format version 1. Strings become fixed-width: `U` when all are UTF-8, else `S`. */
export function writeNpy(tensor: Tensor): Uint8Array {
  const { descr, data } = tensor.dtype === 'string' ? stringContent(tensor.data) : numericContent(tensor)
  const { shape } = tensor
  const dims = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${dims}, }`
  // The data begins at a multiple of 64, and the header ends with a newline.
  const header = `${dict.padEnd(Math.ceil((10 + dict.length + 1) / 64) * 64 - 10 - 1)}\n`
  const bytes = new Uint8Array(10 + header.length + data.length)
  bytes.set(magic)
  bytes[6] = 1
  new DataView(bytes.buffer).setUint16(8, header.length, true)
  new TextEncoder().encodeInto(header, bytes.subarray(10))
  bytes.set(data, 10 + header.length)
  return bytes
}

interface Content {
  readonly descr: string
  readonly data: Uint8Array
}

function numericContent(tensor: Exclude<Tensor, { dtype: 'string' }>): Content {
  const data = tensor.dtype === 'bfloat16' ? Float32Array.from(tensor.data, fromBfloat16) : tensor.data
  return { descr: descrs[tensor.dtype], data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) }
}

function stringContent(strings: readonly Uint8Array[]): Content {
  const texts = strings.map((bytes) => {
    try {
      return [...new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)]
    } catch {
      return undefined
    }
  })
  // NumPy has no strings of no width.
  if (texts.every((text) => text !== undefined)) {
    const width = texts.reduce((widest, text) => Math.max(widest, text.length), 1)
    const points = new Uint32Array(width * texts.length)
    for (const [i, text] of texts.entries()) {
      for (const [j, char] of text.entries()) points[i * width + j] = char.codePointAt(0) ?? 0
    }
    return { descr: `<U${width}`, data: new Uint8Array(points.buffer) }
  }
  const width = strings.reduce((widest, bytes) => Math.max(widest, bytes.length), 1)
  const data = new Uint8Array(width * strings.length)
  for (const [i, bytes] of strings.entries()) data.set(bytes, i * width)
  return { descr: `|S${width}`, data }
}
