import { readFile } from 'node:fs/promises'
import { guardsHold, type ImportedModel, ImportRefusal, joinChunks, readModel, sourceOf } from '@eas/onnx'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { describe, expect, it } from 'vitest'
import { describeTorchScript, importTorchScript } from './index.ts'

const folder = new URL('../../cli/examples/digits/', import.meta.url)
const trace = await readFile(new URL('digits.trace.pt', folder))
const script = await readFile(new URL('digits.script.pt', folder))

const spec = { input: 0, dtype: 'float32', shape: ['batch', 64], example: [1, 64] } as const
const lower = (bytes: Uint8Array) => importTorchScript(sourceOf(bytes), { location: 'model.pt', inputs: [spec] })

async function open({ model, externalData }: ImportedModel, weights: Uint8Array) {
  return InferenceSession.create(joinChunks(model), {
    externalData: externalData.map((path) => ({ path, data: weights })),
  })
}

describe.each([
  ['a trace', trace],
  ['a script', script],
])('importTorchScript() of %s', (_, bytes) => {
  it('gives what ONNX exported by torch gives, at a batch it was not exported with', async () => {
    const imported = await lower(bytes)
    const session = await open(imported, bytes)
    const reference = await InferenceSession.create(await readFile(new URL('digits.onnx', folder)))
    const image = new Tensor(
      'float32',
      Float32Array.from({ length: 3 * 64 }, (_, i) => (i * 7) % 17),
      [3, 64],
    )
    const run = async (s: InferenceSession) =>
      Object.values(await s.run({ [s.inputNames[0] as string]: image }))[0] as Tensor // one input, one output
    const [ours, theirs] = [await run(session), await run(reference)]
    expect(ours.dims).toEqual(theirs.dims)
    const expected = Array.from(theirs.data as Float32Array)
    const largest = expected.reduce((a, b) => Math.max(a, Math.abs(b)), 0)
    Array.from(ours.data as Float32Array).forEach((v, i) => {
      expect(Math.abs(v - (expected[i] ?? 0)) / largest).toBeLessThan(1e-5)
    })
  })

  it('refers to the weights where they are and reads the end of the file only', async () => {
    let read = 0
    const source = {
      size: bytes.length,
      read: async (start: number, end: number) => {
        read += end - start
        return bytes.subarray(start, end)
      },
    }
    const { model, externalData } = await importTorchScript(source, { location: 'folder/model.pt', inputs: [spec] })
    expect(externalData).toEqual(['folder/model.pt'])
    const { initializer } = readModel(joinChunks(model)).graph
    expect(initializer.filter((i) => 'external' in i.content).length).toBeGreaterThan(3)
    expect(read).toBeLessThan(2 * bytes.length)
  })

  it('is the same each time', async () => {
    expect(joinChunks((await lower(bytes)).model)).toEqual(joinChunks((await lower(bytes)).model))
  })

  it('says what it needs when nothing says what the input will be', async () => {
    const refusal = await importTorchScript(sourceOf(bytes), { location: 'm.pt', inputs: [] }).catch((error) => error)
    expect(refusal).toBeInstanceOf(ImportRefusal)
    expect(refusal.reasons[0].what).toContain('nothing says what the input')
    expect(refusal.reasons[0].remedy).toContain('first request')
  })
})

it('describeTorchScript() tells methods and parameters', async () => {
  const { methods, version } = await describeTorchScript(sourceOf(script))
  expect(version).toBe(3)
  expect(methods[0]).toMatchObject({
    name: 'forward',
    parameters: [{ type: 'Tensor', kind: 'tensor', optional: false }],
  })
})

it('guards admit other batches and refuse other images', async () => {
  const { guards, inputs } = await lower(script)
  const admits = (...shape: number[]) =>
    guardsHold(
      guards,
      inputs.map((i) => i.shape),
      [shape],
    )
  expect([admits(1, 64), admits(50, 64), admits(1, 65), admits(1, 8, 8)]).toEqual([true, true, false, false])
})

// What is made to harm stands in test/fuzz/torchscript.test.ts.
describe('files of other kinds', () => {
  it.each([
    ['an empty file', new Uint8Array(0), 'no TorchScript archive'],
    ['a pickle', Uint8Array.of(0x80, 2, 0x7d, 0x2e), 'torch.save'],
    ['text', new TextEncoder().encode('hello'), 'no TorchScript archive'],
  ])('%s is named for what it is', async (_, bytes, text) => {
    await expect(lower(bytes)).rejects.toThrow(text)
  })
})
