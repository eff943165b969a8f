import { torchPredict } from '@eas/protocol'
import { expect, it } from 'vitest'
import { encodeWith, protobufType } from '../../../../test/support/protobufjs.ts'
import type { ModelInfo } from '../session.ts'
import { createPipeline } from './index.ts'

const info: ModelInfo = {
  inputs: [{ name: 'x', dtype: 'uint8', shape: [''] }],
  outputs: [{ name: 'y', dtype: 'uint8', shape: [''] }],
  execution_provider: 'cpu',
  warnings: [],
  loadMs: 0,
  isProvisional: false,
}

it('a request of the right kind is not taken for another when it is wrong', async () => {
  const request = encodeWith(protobufType('tf_predict', 'PredictRequest'), {
    inputs: { x: { dtype: 'DT_UINT8', array_shape: { dim: [1] }, int_val: [256] } },
  })
  expect(torchPredict.isRequest(request), 'the bytes are well-formed for both').toBe(true)
  const pipeline = await createPipeline({ kind: 'tf', signature_name: '' }, { info, folder: '/', version: '1' })
  expect(() => pipeline.decode(request, info)).toThrow(/int_val\[0\] is 256, out of range$/)
})
