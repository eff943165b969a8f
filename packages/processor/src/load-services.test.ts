import zlib from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { loadServices } from './load-services.ts'
import { settingsFromEnv } from './settings.ts'

const file = (path: string, name: string, group?: string) => ({
  path,
  text: JSON.stringify({
    name,
    processor: 'pytorch_cpu_1.10',
    model_path: 'https://models.example/m.onnx',
    metadata: { instance: 1, group },
  }),
})

describe('loadServices()', () => {
  it.each([
    ['a name twice', file('b.json', 'm'), 'm'],
    ['a group that both are in', file('b.json', 'n', 'g'), 'g'],
    ["a name that is the other's group", file('b.json', 'g'), 'g'],
  ])('refuses %s, by the names of the files', async (_, other, name) => {
    await expect(loadServices([file('a.json', 'm', 'g'), other], settingsFromEnv({}))).rejects.toThrow(
      `Cannot serve a.json and b.json together: ${name} is a name, or the group, of both`,
    )
  })

  it('refuses to compress answers in a way that Node lacks', async () => {
    const load = () => loadServices([file('a.json', 'm')], settingsFromEnv({ EAS_RESPONSE_COMPRESSOR: 'zstd' }))
    if ('zstdCompressSync' in zlib) expect((await load()).services).toHaveLength(1)
    else await expect(load()).rejects.toThrow('Cannot compress as zstd: it needs Node 22.15')
  })

  it('takes a group called like its only service', async () => {
    const { services } = await loadServices([file('a.json', 'm', 'm'), file('b.json', 'n')], settingsFromEnv({}))
    expect(services.map(({ name, group }) => [name, group])).toEqual([
      ['m', undefined],
      ['n', undefined],
    ])
  })
})
