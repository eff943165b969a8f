import { bytesOf, emit, refuse, scalar, type Value, vector } from '@eas/onnx'
import type { Call } from '../call.ts'

const { binary, cast, compare, where } = emit

/** How a table's rows are stored. FBGEMM: fbgemm_gpu/split_embedding_configs.py (1.8), `SparseType`. */
interface RowForm {
  /** Less than 1 where a code is a float. */
  readonly codesPerByte: number
  /** Bytes of a row's scale and offset, two halves in front of its codes. */
  readonly head: 0 | 4
  /** Of rows that are floats as they are. */
  readonly floats?: 'float16' | 'float32'
}
const forms: { readonly [type: number]: RowForm } = {
  0: { codesPerByte: 0.25, head: 0, floats: 'float32' },
  1: { codesPerByte: 0.5, head: 0, floats: 'float16' },
  2: { codesPerByte: 1, head: 4 },
  3: { codesPerByte: 2, head: 4 },
  4: { codesPerByte: 4, head: 4 },
}

/** MANAGED and MANAGED_CACHING of FBGEMM's `EmbeddingLocation`; DEVICE is 0, HOST 3. */
const managed: ReadonlySet<number> = new Set([1, 2])

/**
 * Rows of float32, float16, int8, int4 and int2 tables as float32: `[n, widest]`, zeros behind the width of the table and for
 * an index of -1. They are picked out of the tables, which stay where they are.
 */
export function quantisedRows(
  c: Call,
  {
    indices,
    table,
    widths,
    numbers,
  }: {
    readonly indices: Value
    readonly table: Value
    readonly widths: readonly number[]
    numbers(name: string): number[]
  },
): Value {
  const { g } = c
  const alignment = c.optionalInt('row_alignment') ?? 1
  const types = numbers('weights_tys')
  const shapes = widths.map((width, t) => {
    const form = forms[types[t] ?? -1]
    if (!form)
      throw refuse(
        `a table of type ${types[t]} in ${c.name}`,
        '',
        'Export with QUANT_EMB=FP32, FP16, INT8, INT4, INT2 or 0',
      )
    const bytes = form.head + Math.ceil(width / form.codesPerByte)
    return { ...form, bytes: Math.ceil(bytes / alignment) * alignment }
  })
  const ofTable = (values: readonly number[]): Value => emit.gather(g, vector(values), table, 0)
  const column = (x: Value): Value => emit.unsqueeze(g, x, [1])
  // Of tables on the device, or on the host for one, the bytes are in the first; of those in managed memory in the second.
  const [isManaged, ...others] = new Set(numbers('weights_placements').map((place) => managed.has(place)))
  if (others.length > 0) throw refuse(`tables in several places in ${c.name}`)
  const bytes = c.tensor(isManaged ? 'uvm_weights' : 'dev_weights')
  const isThere = compare(g, 'GreaterOrEqual', indices, scalar('int64', 0))
  const safe = where(g, isThere, indices, scalar('int64', 0))
  const start = binary(
    g,
    'Add',
    ofTable(numbers('weights_offsets')),
    binary(g, 'Mul', safe, ofTable(shapes.map((shape) => shape.bytes))),
  )
  const at = (offset: number): Value =>
    cast(g, emit.gather(g, bytes, binary(g, 'Add', start, scalar('int64', offset)), 0), 'int32')
  const half = (offset: number): Value => halfOf(c, at(offset), at(offset + 1))
  const widest = widths.reduce((a, b) => Math.max(a, b), 0)
  const places = Array.from({ length: widest }, (_, i) => i)
  const isUniform = shapes.every((shape) => shape.codesPerByte === 1)
  const position = emit.unsqueeze(g, vector(places), [0])
  // Behind a narrow table's row may be the end of all of them.
  const isOwn = compare(g, 'And', compare(g, 'Less', position, column(ofTable(widths))), column(isThere))
  const inOwn = (x: Value): Value => where(g, isOwn, x, scalar('float32', 0))
  const [floats, ...unlike] = new Set(shapes.map((shape) => shape.floats))
  if (unlike.length > 0) throw refuse(`tables of floats among tables of others in ${c.name}`)
  if (floats) {
    const size = bytesOf(floats)
    const [starts, lengths] = [numbers('weights_offsets'), shapes.map((shape) => shape.bytes)]
    if ([...starts, ...lengths].some((n) => n % size !== 0)) throw refuse(`rows between two floats in ${c.name}`)
    const first = column(binary(g, 'Div', start, scalar('int64', size)))
    const index = where(g, isOwn, binary(g, 'Add', first, position), first)
    return inOwn(cast(g, emit.gather(g, floatsIn(c, bytes, floats), index, 0), 'float32'))
  }
  const perByte = ofTable(shapes.map((shape) => shape.codesPerByte))
  const inRow = isUniform ? position : binary(g, 'Div', position, column(perByte))
  const address = where(
    g,
    isOwn,
    binary(g, 'Add', binary(g, 'Add', column(start), scalar('int64', 4)), inRow),
    column(start),
  )
  let codes = cast(g, emit.gather(g, bytes, address, 0), 'int64')
  if (!isUniform) {
    // Codes of 8, 4 or 2 bits, the lowest first.
    const levels = ofTable(shapes.map((shape) => 256 ** (1 / shape.codesPerByte)))
    const within = binary(g, 'Sub', position, binary(g, 'Mul', inRow, column(perByte)))
    const shift = cast(g, binary(g, 'Pow', cast(g, column(levels), 'float32'), cast(g, within, 'float32')), 'int64')
    const shifted = binary(g, 'Div', codes, shift)
    codes = binary(g, 'Sub', shifted, binary(g, 'Mul', binary(g, 'Div', shifted, column(levels)), column(levels)))
  }
  const decoded = binary(g, 'Add', binary(g, 'Mul', cast(g, codes, 'float32'), column(half(0))), column(half(2)))
  return inOwn(decoded)
}

/** Bytes of the archive as floats: a constant of its own at the same place of the file. */
function floatsIn(c: Call, { shape, elements, content }: Value, dtype: 'float16' | 'float32'): Value {
  const count = Math.floor(c.fixed(shape[0] ?? 0) / bytesOf(dtype))
  const length = count * bytesOf(dtype)
  const known = elements?.slice(0, length).map((byte) => c.fixed(byte))
  if (known) return c.g.constant(dtype, [count], { bytes: Uint8Array.from(known) })
  if (!content || !('external' in content) || content.external.offset % bytesOf(dtype) !== 0)
    throw refuse(`tables of ${dtype} that are no part of the archive in ${c.name}`)
  return c.g.constant(dtype, [count], { external: { ...content.external, length } })
}

/** A half out of its two bytes, the low one first: where rows have an odd number of bytes, it lies between two halves. */
function halfOf({ g }: Call, low: Value, high: Value): Value {
  const bits = binary(g, 'Add', low, binary(g, 'Mul', high, scalar('int32', 256)))
  const over = (x: Value, n: number): Value => binary(g, 'Div', x, scalar('int32', n))
  const upper = over(bits, 1024)
  const mantissa = cast(g, binary(g, 'Sub', bits, binary(g, 'Mul', upper, scalar('int32', 1024))), 'float32')
  const sign = over(upper, 32)
  const exponent = binary(g, 'Sub', upper, binary(g, 'Mul', sign, scalar('int32', 32)))
  const isSmall = compare(g, 'Equal', exponent, scalar('int32', 0))
  const power = (by: Value): Value => binary(g, 'Pow', scalar('float32', 2), cast(g, by, 'float32'))
  const normal = binary(
    g,
    'Mul',
    binary(g, 'Add', mantissa, scalar('float32', 1024)),
    power(binary(g, 'Sub', exponent, scalar('int32', 25))),
  )
  const size = where(g, isSmall, binary(g, 'Mul', mantissa, scalar('float32', 2 ** -24)), normal)
  return where(g, compare(g, 'Equal', sign, scalar('int32', 0)), size, emit.unary(g, 'Neg', size))
}
