import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { scratch } from '../../../../test/support/onnx.ts'
import { openModel } from './open-model.ts'

const files = scratch('open-model')
afterAll(() => files.remove())

const digits = join(import.meta.dirname, '../../../cli/examples/digits')
const options = { startsQuickly: false, executionProviders: ['cpu'], intraOpNumThreads: 1 }

describe('openModel()', () => {
  it('says what is wrong with a model that is damaged', async () => {
    const path = join(files.folder, 'damaged')
    cpSync(join(digits, 'digits.savedmodel'), path, { recursive: true })
    const index = join(path, 'variables/variables.index')
    const bytes = readFileSync(index)
    bytes[8] = (bytes[8] ?? 0) ^ 0xff
    writeFileSync(index, bytes)
    await expect(openModel({ format: 'savedmodel', path }, options)).rejects.toMatchObject({
      code: 'not_ready',
      message: expect.stringMatching(/^Cannot load the model: .*variables\.index/),
    })
  })
})
