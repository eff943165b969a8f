import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { recogniseModel } from './recognise.ts'

let folder = ''
afterEach(() => rm(folder, { recursive: true }))

async function folderOf(...paths: readonly string[]): Promise<string> {
  folder = await mkdtemp(join(tmpdir(), 'eas-recognise-'))
  for (const path of paths) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), '')
  }
  return folder
}

describe('recogniseModel()', () => {
  it.each([
    ['savedmodel', 'model', ['model/saved_model.pb', 'model/.DS_Store', '__MACOSX/model/._saved_model.pb']],
    ['onnx', 'digits.onnx', ['digits.onnx', '._digits.onnx', '__MACOSX/._digits.onnx']],
    ['onnx', 'm/digits.onnx', ['._m', 'm/digits.onnx', 'm/._digits.onnx']],
  ])('finds the %s %s beside what a Mac puts into archives', async (format, path, paths) => {
    const root = await folderOf(...paths)
    expect(await recogniseModel(root, undefined, 'm')).toEqual({ format, path: join(root, path) })
  })
})
