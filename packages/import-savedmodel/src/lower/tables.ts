import { type ElementType, emit, refuse, scalar, type Value } from '@eas/onnx'
import { type TableItem, TensorItem } from '../item.ts'
import type { Lowering, Op, OpTable } from '../op.ts'
import { resourceKey } from '../resources.ts'
import { elementType } from '../tensor-proto.ts'
import { compare, where } from './elementwise.ts'

/** Look-ups in tables that do not change. TF: core/ops/lookup_ops.cc (2.16). ONNX: ai.onnx.ml LabelEncoder, version 4. */

const table: Lowering = (op) => {
  const keyType = op.attr.dtype('key_dtype')
  const valueType = op.attr.dtype('value_dtype')
  return {
    kind: 'table',
    key: resourceKey(op.node),
    keyType: elementType(keyType, op.node.name),
    valueType: elementType(valueType, op.node.name),
  }
}

const tableOf = (op: Op): TableItem => {
  const [item] = op.inputs
  if (item?.kind === 'table') return item
  throw refuse('input 0 is not a table', op.node.name)
}

const find: Lowering = (op) => {
  const { keys, values } = op.e.table(tableOf(op), op.node.name)
  const found = lookUp(op, op.x(1), keys, values, op.x(2))
  const { host } = op.e
  return new TensorItem(found, () => {
    const ids = [host.constantOf(keys), host.constantOf(values), op.tensor(1).host, op.tensor(2).host]
    const known = ids.filter((id) => id !== undefined)
    return known.length === ids.length ? host.step('LookupTableFindV2', {}, known, 1)[0] : undefined
  })
}

/** What a LabelEncoder has attributes for; other integers go through int64, other floats through float32. */
const attributeOf: Readonly<Partial<Record<ElementType, { keys: string; values: string; otherwise: string }>>> = {
  string: { keys: 'keys_strings', values: 'values_strings', otherwise: 'default_string' },
  int64: { keys: 'keys_int64s', values: 'values_int64s', otherwise: 'default_int64' },
  float32: { keys: 'keys_floats', values: 'values_floats', otherwise: 'default_float' },
}
const carrier = (dtype: ElementType): ElementType =>
  dtype === 'string' ? 'string' : dtype.startsWith('float') ? 'float32' : 'int64'

function lookUp(op: Op, query: Value, keys: Value, values: Value, fallback: Value): Value {
  const { g } = op
  if (keys.shape[0] === 0) return emit.full(g, query.shape, fallback)
  const [from, to] = [carrier(keys.dtype), carrier(values.dtype)]
  // Values of more than one number, or of a type that would lose digits: look up the row, then the value.
  if (values.shape.length > 1 || values.dtype === 'float64' || !fallback.elements || isBeyondNumbers(op, values)) {
    const rows = encode(
      op,
      query,
      from,
      keys,
      'int64',
      g.numbers(
        'int64',
        [keyCount(keys)],
        Array.from({ length: keyCount(keys) }, (_, i) => i),
      ),
      scalar('int64', -1),
    )
    const isKnown = compare(op, 'GreaterOrEqual', rows, scalar('int64', 0))
    const safe = where(op, isKnown, rows, scalar('int64', 0))
    const found = emit.gather(g, values, safe, 0)
    const extra = found.shape.slice(query.shape.length)
    return where(
      op,
      emit.unsqueeze(
        g,
        isKnown,
        extra.map((_, i) => query.shape.length + i),
      ),
      found,
      fallback,
    )
  }
  return emit.cast(g, encode(op, query, from, keys, to, values, fallback), values.dtype)
}

const keyCount = (keys: Value): number => (typeof keys.shape[0] === 'number' ? keys.shape[0] : 0)

function encode(
  op: Op,
  query: Value,
  from: ElementType,
  keys: Value,
  to: ElementType,
  values: Value,
  fallback: Value,
): Value {
  const keyAttribute = attributeOf[from]
  const valueAttribute = attributeOf[to]
  if (!keyAttribute || !valueAttribute)
    throw refuse(`a table from ${keys.dtype} to ${values.dtype} is not supported`, op.node.name)
  const bytes = isBeyondNumbers(op, keys) && wordsOf(op, keys)
  const attributes = {
    ...(bytes
      ? { keys_tensor: { tensor: { dtype: from, shape: keys.shape as number[], content: { bytes } } } } // of a known length
      : { [keyAttribute.keys]: listOf(op, keys, from) }),
    [valueAttribute.values]: listOf(op, values, to),
    [valueAttribute.otherwise]: onlyOf(op, fallback, to),
  }
  return op.one('LabelEncoder', [emit.cast(op.g, query, from)], to, query.shape, attributes, 'ai.onnx.ml')
}

/** Whether there are whole numbers that doubles, which attributes are written from, do not hold: such as ids that tell the time. */
const isBeyondNumbers = (op: Op, x: Value): boolean =>
  x.dtype.endsWith('int64') && !x.elements && (op.e.listOf(x) ?? []).some((v) => !Number.isSafeInteger(Number(v)))

const wordsOf = (op: Op, x: Value): Uint8Array =>
  new Uint8Array(BigInt64Array.from(op.e.listOf(x) ?? [], BigInt).buffer)

const listOf = (op: Op, x: Value, as: ElementType) => {
  const list = op.e.listOf(x)
  if (!list) throw refuse('the contents of the table are not known', op.node.name)
  if (as === 'string') return { strings: list.map(String) }
  return as === 'float32' ? { floats: list.map(Number) } : { ints: list.map(Number) }
}

const onlyOf = (op: Op, x: Value, as: ElementType) => {
  const [only = 0] = op.e.listOf(x) ?? []
  if (as === 'string') return { string: String(only) }
  return as === 'float32' ? { float: Number(only) } : { int: Number(only) }
}

export const tableOps: OpTable = {
  HashTable: table,
  HashTableV2: table,
  MutableHashTable: table,
  MutableHashTableV2: table,
  MutableHashTableOfTensors: table,
  MutableHashTableOfTensorsV2: table,
  MutableDenseHashTable: table,
  MutableDenseHashTableV2: table,
  LookupTableFind: find,
  LookupTableFindV2: find,
  LookupTableSize: (op) => scalar('int64', op.e.table(tableOf(op), op.node.name).keys.shape[0] ?? 0),
  LookupTableSizeV2: (op) => scalar('int64', op.e.table(tableOf(op), op.node.name).keys.shape[0] ?? 0),
  LookupTableExportV2: (op) => {
    const { keys, values } = op.e.table(tableOf(op), op.node.name)
    return [keys, values]
  },
}
