import { describe, expect, it } from 'vitest'
import { parseProcessorCode } from './index.ts'
import { editDistance, nearest } from './nearest.ts'

describe('parseProcessorCode()', () => {
  it.each([
    ['tensorflow_cpu_1.12', 'tensorflow', 'cpu', '1.12'],
    ['tensorflow_cpu_2.3', 'tensorflow', 'cpu', '2.3'],
    ['tensorflow_gpu_2.7', 'tensorflow', 'gpu', '2.7'],
    ['tensorflow_gpu', 'tensorflow', 'gpu', undefined],
    ['pytorch_cpu_1.6', 'pytorch', 'cpu', '1.6'],
    ['pytorch_gpu_1.10', 'pytorch', 'gpu', '1.10'],
    ['easyrec', 'easyrec', undefined, undefined],
    ['easyrec-1.2', 'easyrec', undefined, '1.2'],
    ['easyrec-3.0', 'easyrec', undefined, '3.0'],
    ['easyrec-torch-0.1', 'easyrec-torch', undefined, '0.1'],
    ['easyrec-torch-1.12', 'easyrec-torch', undefined, '1.12'],
    ['easyrec-torch-2.2', 'easyrec-torch', undefined, '2.2'],
  ])('supports %s', (code, family, device, version) => {
    expect(parseProcessorCode(code)).toEqual({ code, family, device, version, supported: true })
  })

  it.each(['tensorflow_gpu_2.3', 'pytorch_cpu_2.1', 'easyrec-torch-9.9', 'easyrec-1.1'])(
    'runs %s with a reason to look',
    (code) => {
      expect(parseProcessorCode(code)).toMatchObject({
        supported: true,
        reason: expect.stringContaining('no such version'),
      })
    },
  )

  it.each([
    ['pmml', 'pmml', undefined],
    ['caffe_gpu', 'caffe', 'gpu'],
    ['xgboost', 'xgboost', undefined],
    ['onnx_cu100', 'onnx', undefined],
    ['xnn_cpu', 'xnn', 'cpu'],
    ['triton', 'triton', undefined],
    ['mediaflow', 'mediaflow', undefined],
    ['blade_cpu', 'blade', 'cpu'],
    ['blade_cuda10.0_beta', 'blade', undefined],
    ['easy_vision_gpu_tf1.12_torch151', 'easy_vision', 'gpu'],
    ['easytransfer_cpu', 'easytransfer', 'cpu'],
    ['easynlp', 'easynlp', undefined],
    ['easy_nlp_gpu_tf1.12', 'easynlp', 'gpu'],
    ['easy_nlp_with_transformer_gpu', 'easynlp', 'gpu'],
    ['easycv', 'easycv', undefined],
    ['easy_asr_gpu_tf1.12', 'easy_asr', 'gpu'],
    ['alink_pai_processor', 'alink', undefined],
    ['parameter_sever', 'parameter_server', undefined],
    ['parameter_server', 'parameter_server', undefined],
  ])('knows %s and does not serve it', (code, family, device) => {
    expect(parseProcessorCode(code)).toMatchObject({ family, device, supported: false })
  })

  it.each(['', 'pytorch', 'PyTorch_cpu_1.6', 'pytorch_cpu_1.6 ', 'easyrec-torch', '__proto__', 'a\nb'.repeat(1000)])(
    'does not know %j',
    (code) => {
      const { family, supported, reason } = parseProcessorCode(code)
      expect([family, supported]).toEqual(['unknown', false])
      expect(reason).not.toContain('\n')
      expect(reason?.length).toBeLessThan(200)
    },
  )
})

describe('nearest()', () => {
  it.each([
    ['', '', 0],
    ['a', '', 1],
    ['kitten', 'sitting', 3],
    ['keepalvie', 'keepalive', 1],
    ['ab', 'ba', 1],
  ])('counts %j to %j as %i edits', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance)
    expect(editDistance(b, a)).toBe(distance)
  })

  it('gives the nearest of the near, and nothing for far or long keys', () => {
    expect(nearest('nmae', ['token', 'name', 'names'])).toBe('name')
    expect(nearest('NAME', ['name'])).toBe('name')
    expect(nearest('xyz', ['name', 'token'])).toBeUndefined()
    expect(nearest('n'.repeat(65), ['n'.repeat(64)])).toBeUndefined()
  })
})
