import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { importToOnnx, machineOf, prepareBeside, settingsFromEnv } from '@eas/processor'
import { afterAll, describe, expect, it } from 'vitest'
import { ofModel } from './model-trouble.ts'
import { readServiceFile } from './services.ts'

const folder = mkdtempSync(join(tmpdir(), 'eas-stand-in-'))
afterAll(() => rmSync(folder, { recursive: true }))

const machine = machineOf(settingsFromEnv({}))
const prepare = (model: string) => ofModel('prepare', model, () => prepareBeside(model, '.', machine))
const nothing = { signature: '', fetches: [], inputs: [], to: undefined, check: false }
const lower = (model: string) => ofModel('import', model, () => importToOnnx(model, '.', machine, nothing))

const scripted = join(import.meta.dirname, '../examples/digits/digits.script.pt')
const frozen = join(import.meta.dirname, '../../../test/golden/imported/frozen.pb')

describe('ofModel()', () => {
  it.each([
    ['prepare', scripted, /^Cannot prepare \S+digits\.script\.pt: nothing says what the input image: Tensor will be/],
    [
      'prepare',
      scripted,
      /; lower it with eas import \S+ --input image:<dtype>\[<sizes>\] -o digits\.script\.onnx, then/,
    ],
    ['import', scripted, /\n {2}as in: eas import \S+\.pt --input image:<dtype>\[<sizes>\]$/],
    [
      'prepare',
      frozen,
      /^Cannot prepare \S+frozen\.pb: .*; lower it with eas import \S+ --fetch \w+ -o frozen\.onnx, then/,
    ],
  ] as const)('%s, case %#', async (attempt, model, message) => {
    await expect(attempt === 'prepare' ? prepare(model) : lower(model)).rejects.toThrow(message)
  })

  it('names each of several models once', async () => {
    await expect(prepare('nowhere.pt')).rejects.toThrow(/^Cannot find the model: nowhere\.pt does not exist$/)
    const damaged = join(folder, 'damaged.pt')
    writeFileSync(damaged, 'PK\x03\x04 and no more')
    await expect(prepare(damaged)).rejects.toThrow(`Cannot prepare ${damaged}: the archive is damaged`)
  })
})

describe('refuseStandIn()', () => {
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935\nsize 12345\n'
  it.each([
    ['empty.onnx', '', 'it is empty'],
    ['pointer.pt', pointer, 'it is a pointer of Git LFS; git lfs pull fetches the file itself'],
    ['page.onnx', '\n<!DOCTYPE html><title>Sign in</title>', 'it is a web page or an error, not what was'],
    ['service.json', '{}', 'it is no model; give what its model_path names'],
    ['error.pb', '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', 'it is a web page or an error'],
  ])('says what %s is', async (name, text, facts) => {
    const file = join(folder, name)
    writeFileSync(file, text)
    await expect(prepare(file)).rejects.toThrow(`Cannot prepare ${file}: ${facts}`)
    const defaults = { processor: undefined, name: undefined }
    if (name.endsWith('.json')) return // served as what it is
    await expect(readServiceFile(file, defaults)).rejects.toThrow(`Cannot use ${file}: ${facts}`)
  })
})
