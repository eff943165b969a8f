import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileFg } from '@eas/fg'
import { describe, expect, it } from 'vitest'
import { vectors } from './vectors.ts'

interface HashVector {
  readonly bytes_hex: string
  readonly std_hash_mod_2p63m1: string
  readonly farm_mod_2p63m1: string
}

const hashes: readonly HashVector[] = JSON.parse(readFileSync(join(import.meta.dirname, 'hash-vectors.json'), 'utf8'))

async function idsOf(texts: readonly string[], hash_bucket_size: string, farm: boolean): Promise<bigint[]> {
  const feature = {
    feature_type: 'id_feature',
    feature_name: 'f',
    expression: 'user:x',
    value_dim: 0,
    hash_bucket_size,
  }
  const env = farm ? { USE_FARM_HASH_TO_BUCKETIZE: 'true' } : {}
  const generator = await compileFg({ features: [feature] }, { env })
  const generated = generator.generate({
    rows: 1,
    column: () => ({ form: 'features', values: [{ kind: 'string_list', value: texts }] }),
  })
  return [...((generated.tensors().get('f.values')?.data ?? []) as BigInt64Array)] // `f` gives ids
}

/** Only texts come in requests: what is not UTF-8 is for the test of the hash itself. */
const texts = hashes
  .map((vector) => ({ ...vector, text: Buffer.from(vector.bytes_hex, 'hex').toString() }))
  .filter(({ text, bytes_hex }) => text !== '' && Buffer.from(text).toString('hex') === bytes_hex)

describe('hash_bucket_size of 2^63 - 1', () => {
  it.each([
    ['std::hash of libstdc++', false],
    ['FarmHash Fingerprint64 of TensorFlow', true],
  ])('gives what %s gave', async (_name, farm) => {
    expect(texts.length).toBe(49)
    const ids = await idsOf(
      texts.map(({ text }) => text),
      '9223372036854775807',
      farm,
    )
    const wanted = texts.map((vector) => BigInt(farm ? vector.farm_mod_2p63m1 : vector.std_hash_mod_2p63m1))
    expect(ids).toEqual(wanted)
  })
})

describe('hash_bucket_size of 100', () => {
  const tables = vectors.flatMap((vector) => (vector.kind === 'hash' ? [vector as unknown as HashTable] : []))
  interface HashTable {
    readonly hash: string
    readonly pairs: { readonly [text: string]: number }
  }

  it.each(tables)('$hash', async ({ hash, pairs }) => {
    const ids = await idsOf(Object.keys(pairs), '100', hash.startsWith('Farm'))
    expect(ids.map(Number)).toEqual(Object.values(pairs))
  })
})
