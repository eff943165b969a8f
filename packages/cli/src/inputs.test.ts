import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Tensor } from '@eas/base'
import { describe, expect, it } from 'vitest'
import { matchInputs, readInputs } from './inputs.ts'
import type { Signature } from './signature.ts'

const signature: Signature = {
  inputs: [
    { name: 'ids', dtype: 'int64', shape: [-1, 2] },
    { name: 'city', dtype: 'string', shape: [] },
  ],
  outputs: [],
  signature_name: 'serving_default',
}
const image: Signature = { ...signature, inputs: [{ name: 'image', dtype: 'float32', shape: [-1, 2] }] }

const match = async (args: readonly string[], of: Signature | undefined) => matchInputs(await readInputs(args), of)

describe('matchInputs()', () => {
  it('puts inputs in the order and the dtypes of the signature', async () => {
    const inputs = await match(['city="Oslo"', 'ids=[[1,2.0]]'], signature)
    expect([...inputs.keys()]).toEqual(['ids', 'city'])
    expect(inputs.get('ids')).toEqual({ dtype: 'int64', shape: [1, 2], data: BigInt64Array.of(1n, 2n) })
    expect(inputs.get('city')?.shape).toEqual([])
  })

  it('takes an object of all inputs, and a value without a name where there is one input', async () => {
    expect([...(await match(['{"city": "a=b", "ids": [[1,2]]}'], signature)).keys()]).toEqual(['ids', 'city'])
    expect([...(await match(['[[1,2]]'], image)).keys()]).toEqual(['image'])
  })

  it('keeps what is given where there is no signature', async () => {
    const inputs = await match(['b=[1]', 'a=[0.5]'], undefined)
    expect([...inputs].map(([name, { dtype }]) => [name, dtype])).toEqual([
      ['b', 'int64'],
      ['a', 'float32'],
    ])
  })

  it.each([
    [['ids=[[1,2]]'], signature, 'Missing input city string'],
    [['x=1', 'ids=[[1,2]]', 'city="a"'], signature, 'Unknown input x: the service takes ids int64 [?,2]; city string'],
    [['[[1,2]]'], signature, 'An input has no name: the service takes ids int64 [?,2]; city string'],
    [['image=[1,2]'], image, 'takes image float32 [?,2], got [2]; it lacks the first axis, of rows'],
    [['image=[[1,2,3]]'], image, 'takes image float32 [?,2], got [1,3]'],
    [['image=[[1,"a"]]'], image, 'image[0][1] is "a", float32 takes numbers up to 3.4e38'],
    [['image=1', 'image=2'], image, 'Input image is there twice'],
    [['=1'], image, 'no name stands before the ='],
    [['image=nowhere'], image, `Cannot read nowhere: no such file; a text is written image='"nowhere"'`],
    [['image=nowhere.npy'], image, 'Cannot read nowhere.npy: no such file'],
    [['image=[1'], image, 'Cannot read image as JSON: line 1 column 3 has the end'],
  ] as const)('refuses %j', async (args, of, message) => {
    await expect(match(args, of)).rejects.toThrow(message)
  })

  it('says of an archive and of a file that only ends in .npy what they are', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'inputs-'))
    try {
      const [archive, text] = [join(folder, 'a.npz'), join(folder, 'a.npy')]
      await Promise.all([writeFile(archive, 'PK\u0003\u0004...'), writeFile(text, '[[1,2]]')])
      await expect(match([`image=${archive}`], image)).rejects.toThrow(
        /a\.npz: it is an archive, as \.npz is; give each array/,
      )
      await expect(match([text], image)).rejects.toThrow(/a\.npy: it does not begin as a \.npy file/)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it.each<[Tensor, Tensor | string]>([
    [
      { dtype: 'float64', shape: [1, 2], data: Float64Array.of(0.5, 1) },
      { dtype: 'float32', shape: [1, 2], data: Float32Array.of(0.5, 1) },
    ],
    [
      { dtype: 'uint8', shape: [1, 2], data: Uint8Array.of(3, 4) },
      { dtype: 'float32', shape: [1, 2], data: Float32Array.of(3, 4) },
    ],
    [{ dtype: 'string', shape: [1, 2], data: [new Uint8Array(), new Uint8Array()] }, 'takes float32, got string'],
    [{ dtype: 'complex64', shape: [1, 2], data: new Float32Array(4) }, 'takes float32, got complex64'],
  ])('converts an array to the dtype of the service where it holds the values', (tensor, expected) => {
    const matched = () => matchInputs([{ name: 'image', value: { tensor } }], image).get('image')
    if (typeof expected === 'string') expect(matched).toThrow(expected)
    else expect(matched()).toEqual(expected)
  })
})
