import { type MapBags, type NumberBags, NumbersBuilder, type Value } from '../bags.ts'
import { defaultValue, numberKeys, reference } from '../common-keys.ts'
import { character } from '../config-key.ts'
import { cellOf, layOut } from '../layout.ts'
import { parseNumber } from '../number-text.ts'
import { defineOperator } from '../operator.ts'
import { int32s } from '../pool.ts'

/** `kv_dot_product`: the sum, over the keys that both tables have, of the products of their values. */
export const kvDotProduct = defineOperator({
  feature_type: 'kv_dot_product',
  summary: 'The dot product of two tables; keys without a value weigh 1.',
  keys: {
    query: reference('A table: a map, or `key:value` or `key` texts.'),
    document: reference('The other.'),
    kv_delimiter: character(':', 'Between key and value.'),
    default_value: defaultValue('0'),
    ...numberKeys,
  },
  compile(config, build) {
    const [queryRef, documentRef] = build.refs([config.query, config.document])
    if (!queryRef || !documentRef) return undefined
    const { separator, kv_delimiter: delimiter } = config
    const queries = build.maps(queryRef, { separator, delimiter, bare: 1, split: 'last' })
    const documents = build.maps(documentRef, { separator, delimiter, bare: 1, split: 'last' })
    const normalize = build.normalizer(config.normalizer)
    // Alone among the operators, an empty default is 0 here, with ids too.
    const defaults = build.defaultNumbers(config.default_value || '0', separator, 1)
    const finish = build.numberOutput({ defaults, value_dim: 1, bucketizer: build.bucketizer(config, ''), normalize })
    return (frame) => finish(frame, multiply(queries(frame), documents(frame)))
  },
})

function multiply(queries: MapBags, documents: MapBags): NumberBags {
  const layout = layOut([queries, documents])
  const { rows, steps, cells } = layout
  const [queryCells, documentCells] = layout.inputs
  const numbers = new NumbersBuilder(cells)
  const offsets = int32s(cells + 1)
  let malformed = 0
  for (let cell = 0; cell < cells; cell++) {
    const query = queryCells && queries.maps[cellOf(queryCells, cell)]
    const document = documentCells && documents.maps[cellOf(documentCells, cell)]
    if (query && document) {
      const product = dot(query, document)
      if (Number.isNaN(product)) malformed++
      else numbers.push(product)
    }
    offsets[cell + 1] = numbers.length
  }
  return { kind: 'numbers', rows, steps, offsets, malformed, numbers: numbers.finish() }
}

type Table = ReadonlyMap<string, Value>

function dot(a: Table, b: Table): number {
  const [small, large] = a.size <= b.size ? [a, b] : [b, a]
  let sum = 0
  for (const [key, value] of small) {
    const other = large.get(key)
    if (other !== undefined) sum += toNumber(value) * toNumber(other)
  }
  return sum
}

const toNumber = (value: Value): number => (typeof value === 'string' ? parseNumber(value) : Number(value))
