import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { toJson } from '../json-output.ts'
import { inspectService } from './service.ts'

// Published service.json files, some of which ask for more than is served here.
const folder = join(import.meta.dirname, '../../../../test/golden/service-json')
const files = readdirSync(folder).filter((file) => /^\d.*\.jsonc?$/.test(file))
const digits = join(import.meta.dirname, '../../examples/digits/service-tf.json')

describe('inspectService()', () => {
  it.each(files)('says whether %s can be served from here, and why not', async (file) => {
    const { json, text } = await inspectService(file, readFileSync(join(folder, file), 'utf8'))
    expect(JSON.parse(toJson(json)).file).toBe(file)
    const reasons = (json.reasons ?? []) as readonly string[] // its type is any JSON
    if (json.servable) expect([reasons, text]).toEqual([[], expect.stringContaining('It can be served here')])
    else expect(text).toContain('cannot be')
    for (const reason of reasons) expect(text).toContain(reason)
  })

  it('says which message a service takes, and what acts', async () => {
    const { json, isUnusable } = await inspectService(digits, readFileSync(digits, 'utf8'))
    expect(json).toMatchObject({ servable: true, message: 'tf', name: 'digits_tf', reasons: [] })
    expect(json.keys).toMatchObject([
      { path: 'metadata.cpu', fate: 'map', value: 1 },
      { path: 'metadata.memory', fate: 'map', value: 1000 },
    ])
    expect(isUnusable).toBeFalsy()
  })

  it('shows no secret', async () => {
    const service = {
      name: 'a',
      token: 's3cret',
      processor: 'pytorch_cpu_1.10',
      model_path: 'm.onnx',
      processor_envs: [{ name: 'KEY', value: 's3cret' }],
      storage: [{ mount_path: '/x', git: { repo: 'r', password: 's3cret' } }],
      model_config: { anything: 's3cret' },
    }
    const { json, text } = await inspectService('x.json', JSON.stringify(service))
    expect(text).toContain('processor_envs[0].name')
    expect(text + toJson(json)).not.toContain('s3cret')
  })

  it('lists every bad value with its line', async () => {
    const { text, isUnusable } = await inspectService('x.json', '{"name": "a",\n "metadata": {"instance": "many"}}')
    expect(text).toContain('metadata.instance (line 2 column 15)')
    expect(isUnusable).toBe(true)
  })

  it('warns of a file that cannot be read, too', async () => {
    const { text } = await inspectService('x.json', '{"NAME": "a",\n "metadata": {"instance": 1}}')
    expect(text).toMatch(/name: is missing[\s\S]*line 1: NAME: is not a known key and is ignored; did you mean name\?/)
  })

  it('looks for models with the environment that a server would have', async () => {
    const service =
      '{"name": "a", "processor": "pytorch_cpu_1.6", "model_path": "oss://a/b.pt", "metadata": {"instance": 1}}'
    expect((await inspectService('x.json', service)).text).toContain('the region of OSS is not set')
    vi.stubEnv('EAS_OSS_REGION', 'cn-hangzhou')
    expect((await inspectService('x.json', service)).text).toContain('It can be served here, if the model can be read')
    vi.unstubAllEnvs()
  })
})
