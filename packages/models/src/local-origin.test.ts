import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { message } from '../../../test/support/onnx.ts'
import { localOrigin } from './local-origin.ts'
import { describeFile, describeModel, manifestFormat, manifestName, preparedFolder } from './prepared.ts'

const platform = 'ort-1-test'
let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'eas-local-'))
})
afterEach(() => rmSync(root, { recursive: true }))

/** Files below a folder, by their paths. */
function write(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

const originOf = (path: string) => localOrigin(join(root, path), undefined, path, platform)
const usesPrepared = async (path: string) => (await originOf(path).open()).prepared !== undefined

/** A prepared form of what is at `path` now. */
async function prepare(path: string): Promise<void> {
  const model = await originOf(path).open()
  const folder = preparedFolder(model.path, platform)
  write(folder, { 'model.onnx': 'its graph' })
  const manifest = {
    format: manifestFormat,
    of: await describeModel(model),
    onnxruntime: '1',
    platform,
    level: 'all',
    prepackBytes: 0,
    isWhole: true,
    files: [await describeFile(folder, 'model.onnx')],
  }
  write(folder, { [manifestName]: JSON.stringify(manifest) })
  expect(await usesPrepared(path)).toBe(true)
}

/** An ONNX file that says where its weights are. */
const onnxWith = (location: string) =>
  message([7, message([5, message([13, message([1, 'location'], [2, location])], [14, 1])])])

const models: {
  readonly [kind: string]: { readonly path: string; readonly files: Readonly<Record<string, string | Uint8Array>> }
} = {
  'a file': { path: 'm.pt', files: { 'm.pt': 'weights 1' } },
  'ONNX with weights beside it': {
    path: 'm.onnx',
    files: { 'm.onnx': onnxWith('m.onnx.data'), 'm.onnx.data': 'weights 1' },
  },
  'ONNX with weights in a folder': { path: 'm.onnx', files: { 'm.onnx': onnxWith('w/1'), 'w/1': 'weights 1' } },
  'a SavedModel': { path: 'm', files: { 'm/saved_model.pb': 'graph', 'm/variables/variables.data': 'weights 1' } },
}
const retrained = (files: Readonly<Record<string, string | Uint8Array>>) =>
  Object.fromEntries(
    Object.entries(files).map(([name, text]) => [name, typeof text === 'string' ? text.replace('1', '2') : text]),
  )
const past = new Date('2020-01-01T00:00:00Z')

describe.each(Object.entries(models))('the prepared form of %s', (_, { path, files }) => {
  it('is not used once the model has been trained again, and written over', async () => {
    write(root, files)
    await prepare(path)
    write(root, retrained(files))
    expect(await usesPrepared(path)).toBe(false)
  })

  it('is not used for another model of that size which is older than what was prepared', async () => {
    write(root, files)
    await prepare(path)
    write(join(root, 'other'), retrained(files))
    for (const name of Object.keys(files)) {
      utimesSync(join(root, 'other', name), past, past)
      renameSync(join(root, 'other', name), join(root, name))
    }
    expect(await usesPrepared(path)).toBe(false)
  })

  it.each([
    ['with times of their own', new Date()],
    ['with times of one second, as layers of images have', past],
  ])('is used where both were copied to, %s', async (_, time) => {
    write(join(root, 'here'), files)
    for (const name of Object.keys(files)) utimesSync(join(root, 'here', name), time, time)
    await prepare(`here/${path}`)
    cpSync(join(root, 'here'), join(root, 'there'), { recursive: true, preserveTimestamps: time === past })
    expect(await usesPrepared(`there/${path}`)).toBe(true)
  })
})

describe('localOrigin()', () => {
  it('takes links for what they lead to, as in a mounted volume, and sees them changed', async () => {
    write(root, { 'v1/net.onnx': 'one', 'v2/net.onnx': 'two' })
    mkdirSync(join(root, 'volume'))
    symlinkSync('../v1', join(root, 'volume/..data'))
    symlinkSync('..data/net.onnx', join(root, 'volume/net.onnx'))
    const origin = originOf('volume')
    const first = await origin.open()
    expect(first).toMatchObject({ path: join(root, 'volume/net.onnx'), bytes: 3 })
    symlinkSync('../v2', join(root, 'volume/..new'))
    renameSync(join(root, 'volume/..new'), join(root, 'volume/..data'))
    expect(await origin.newest()).not.toBe(first.version)
  })

  it('goes through a link that is the only folder, and leaves out one that leads nowhere', async () => {
    write(root, { 'export/net.onnx': 'one' })
    mkdirSync(join(root, 'm'))
    symlinkSync('../export', join(root, 'm/current'))
    symlinkSync('gone.onnx', join(root, 'm/old.onnx'))
    expect((await originOf('m').open()).path).toBe(join(root, 'm/current/net.onnx'))
  })

  it.each(['m.onnx.data', 'weights/layer.0', 'params.bin'])(
    'sees that weights of an ONNX file changed: %s',
    async (at) => {
      write(root, { 'm.onnx': onnxWith(at), [at]: 'weights one' })
      const origin = originOf('m.onnx')
      const { version } = await origin.open()
      write(root, { [at]: 'weights 2' })
      expect(await origin.newest()).not.toBe(version)
    },
  )
})
