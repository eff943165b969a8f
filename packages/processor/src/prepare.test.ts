import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ModelFiles, modelOrigin, platformName, preparedFolder } from '@eas/models'
import { DiskCache } from '@eas/storage'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { onnxModel } from '../../../test/support/onnx.ts'
import { prepareModel } from './prepare.ts'
import { createSession, onnxRuntimeVersion } from './session.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'prepare-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const value = (name: string, shape: (number | string)[]) => ({ name, dtype: 'float32' as const, shape })
const weights = Float32Array.from({ length: 64 * 64 }, (_, i) => Math.sin(i))

/** Two dense layers; enough to be optimised and to have weights. */
const dense = onnxModel({
  nodes: [
    { op: 'MatMul', inputs: ['x', 'w'], outputs: ['h'] },
    { op: 'Relu', inputs: ['h'], outputs: ['r'] },
    { op: 'MatMul', inputs: ['r', 'w'], outputs: ['y'] },
  ],
  inputs: [value('x', ['N', 64])],
  outputs: [value('y', ['N', 64])],
  constants: [{ name: 'w', dtype: 'float32', shape: [64, 64], data: weights }],
})

async function prepared(model = dense) {
  const path = join(folder, 'model.onnx')
  writeFileSync(path, model)
  const platform = platformName(onnxRuntimeVersion())
  const origin = modelOrigin(
    { model_path: path, model_entry: undefined },
    {
      baseDir: folder,
      mounts: [],
      stores: {},
      cache: () => DiskCache.open(join(folder, 'cache')),
      platform,
      deadlineMs: 1000,
    },
  )
  const to = preparedFolder(path, platform)
  const manifest = await prepareModel(await origin.open(), to)
  return { path, origin, to, manifest }
}

async function answer(onnx: string, isOptimised: boolean) {
  const options = { executionProviders: ['cpu'], intraOpNumThreads: 1 }
  const session = await createSession({ onnx, isOptimised }, options)
  const x = { dtype: 'float32', shape: [2, 64], data: Float32Array.from({ length: 128 }, (_, i) => i / 128) } as const
  const y = session.run(new Map([['x', x]]), ['y']).get('y')
  session.release()
  return y
}

/** The ONNX file that a session would be made of. */
const usedOf = ({ path, prepared }: ModelFiles) => prepared?.path ?? path

/** Places to damage, of each file; 1,000 with EAS_FULL=1. */
const trials = process.env.EAS_FULL ? 1000 : 40

describe('prepareModel()', () => {
  it('is found beside the model and answers as it does', async () => {
    const { path, origin, to, manifest } = await prepared()
    const files = await origin.open()
    expect(files).toMatchObject({ format: 'onnx', path, prepared: { path: join(to, 'model.onnx'), isWhole: true } })
    expect(manifest).toMatchObject({ level: 'extended', onnxruntime: onnxRuntimeVersion() })
    expect(manifest.prepackBytes).toBe(2 * weights.byteLength)
    expect(statSync(join(to, 'weights.bin')).size).toBe(weights.byteLength)
    expect(await answer(usedOf(files), true)).toEqual(await answer(path, false))
    expect(readdirSync(folder).sort()).toEqual(['model.onnx', 'model.onnx.eas'])
  })

  it.each(['model.onnx', 'weights.bin', 'manifest.json'])('is not used when %s is damaged anywhere', async (name) => {
    const { path, origin, to } = await prepared()
    const file = join(to, name)
    const bytes = readFileSync(file)
    for (let trial = 0; trial < trials; trial++) {
      const at = Math.floor((trial / trials) * bytes.length)
      const flipped = Buffer.from(bytes)
      flipped[at] = (flipped[at] ?? 0) ^ (1 << (trial % 8))
      writeFileSync(file, flipped)
      const files = await origin.open()
      // What remains of a manifest may still say the same: then it is the same model.
      if (name !== 'manifest.json') expect(usedOf(files), `bit ${trial % 8} of byte ${at}`).toBe(path)
      else expect([path, join(to, 'model.onnx')]).toContain(usedOf(files))
    }
    writeFileSync(file, bytes.subarray(0, bytes.length / 2))
    expect(usedOf(await origin.open())).toBe(path)
  })

  it('is used for a copy of the same model, and not for another', async () => {
    const { path, origin } = await prepared()
    await new Promise((resolve) => setTimeout(resolve, 20))
    const bytes = readFileSync(path)
    writeFileSync(path, bytes)
    expect(usedOf(await origin.open())).not.toBe(path)
    writeFileSync(path, Buffer.concat([bytes, Buffer.of(0x32, 1, 0x61)])) // a doc_string, "a"
    expect(usedOf(await origin.open())).toBe(path)
  })

  it('leaves nothing behind when the model cannot be loaded', async () => {
    await expect(prepared(dense.subarray(0, 500))).rejects.toThrow('Cannot')
    expect(existsSync(join(folder, 'model.onnx.eas'))).toBe(true)
    expect(readdirSync(join(folder, 'model.onnx.eas'))).toEqual([])
  })

  it('names the version of ONNX Runtime that is installed', () => {
    const manifest = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'))
    expect(manifest.dependencies['onnxruntime-node']).toBe(onnxRuntimeVersion())
  })
})
