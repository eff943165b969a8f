import { EasError, type Tensor } from '@eas/base'
import { describe, expect, it } from 'vitest'
import type { Prologue } from './program.ts'
import { prologueFromJson, prologueToJson } from './prologue-json.ts'
import { runPrologue } from './run.ts'

const words = (...text: string[]): Tensor => ({
  dtype: 'string',
  shape: [text.length],
  data: text.map((t) => new Uint8Array(Buffer.from(t))),
})

/** A look-up of `word` in a table of two, as the importer writes it. */
const prologue: Prologue = {
  inputs: [{ name: 'word', value: 0 }],
  constants: [
    { value: 1, tensor: words('a', 'ü') },
    { value: 2, tensor: { dtype: 'int64', shape: [2], data: new BigInt64Array([5n, 2n ** 60n]) } },
    { value: 3, tensor: { dtype: 'int64', shape: [], data: new BigInt64Array([-1n]) } },
  ],
  steps: [{ op: 'LookupTableFindV2', attrs: { shapes: [[1], []] }, inputs: [1, 2, 0, 3], outputs: [4] }],
  outputs: [{ name: 'prologue/0', value: 4, dtype: 'int64' }],
  passed: ['dense'],
}
const dense: Tensor = { dtype: 'float32', shape: [1], data: new Float32Array([0.5]) }

describe('a prologue as text', () => {
  it('is the same program', () => {
    const again = prologueFromJson(prologueToJson(prologue))
    expect(again).toEqual(prologue)
    expect(runPrologue(again, { word: words('ü', 'b', 'a'), dense })).toEqual({
      dense,
      'prologue/0': { dtype: 'int64', shape: [3], data: new BigInt64Array([2n ** 60n, -1n, 5n]) },
    })
  })

  it.each([
    ['of another version', (text: string) => text.replace('"version":1', '"version":2')],
    ['with an operator there is not', (text: string) => text.replace('LookupTableFindV2', 'toString')],
    ['with a constant that does not fill its shape', (text: string) => text.replace('"shape":[2]', '"shape":[3]')],
    ['with a position that is none', (text: string) => text.replace('"outputs":[4]', '"outputs":[-4]')],
    ['that is cut off', (text: string) => text.slice(0, -5)],
  ])('%s is refused', (_, damage) => {
    const text = damage(prologueToJson(prologue))
    expect(() => prologueFromJson(text)).toThrow(EasError)
    expect(() => prologueFromJson(text)).toThrow(/^Cannot read the prologue: /)
  })

  it('says which input a request lacks', () => {
    expect(() => runPrologue(prologue, { dense })).toThrow('Cannot predict: the input "word" is missing')
  })
})
