import { EasError, limits } from '@eas/base'
import { describe, expect, it } from 'vitest'
import { ConfigError, type ConfigWarning, parseServiceJson } from './index.ts'

/** A file that is right, with `more` in it. */
const file = (more: object = {}, metadata: object = {}) =>
  JSON.stringify({
    name: 'digits',
    processor: 'pytorch_cpu_1.10',
    model_path: '/models/digits.onnx',
    ...more,
    metadata: { instance: 1, ...metadata },
  })
const config = (more?: object, metadata?: object) => parseServiceJson(file(more, metadata)).config
const warnings = (more?: object, metadata?: object) => messages(parseServiceJson(file(more, metadata)).warnings)
const messages = (list: readonly ConfigWarning[]) => list.map(({ message }) => message)

function errorOf(text: string): ConfigError {
  try {
    parseServiceJson(text)
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
  throw new Error('The text was accepted')
}
const bad = (more?: object, metadata?: object) =>
  errorOf(file(more, metadata)).options.map(({ path, message }) => `${path}: ${message}`)

describe('parseServiceJson() on text', () => {
  it('reads comments, trailing commas and a byte order mark', () => {
    const text = '\ufeff{ // a name\n "name": "a", /* and */ "metadata": {"instance": 2,},\n}'
    expect(parseServiceJson(text).config.metadata.instance).toBe(2)
  })

  it.each([
    ['', 'is empty'],
    [' \n\t', 'is empty'],
    ['// nothing', 'line 1 column 11: a value should stand here'],
    ['{\n  "name": "a"\n  "token": "b"\n}', 'line 3 column 3: "," should stand here'],
    ['{"name": "a"', 'line 1 column 13: "}" should stand here'],
    ["{'name': 'a'}", 'line 1 column 2: this is not JSON (strings and keys need double quotes)'],
    ['{"load": True}', 'line 1 column 10: this is not JSON (strings and keys need double quotes)'],
    ['{"name": "a} \n', 'line 1 column 10: this string does not end on its line'],
    ['{} {}', 'line 1 column 4: the file should end here'],
    ['{"a": 1 /* b', 'line 1 column 9: this comment does not end'],
  ])('says where the syntax of %j breaks', (text, message) => {
    expect(errorOf(text).message).toBe(`Cannot read service.json: ${message}`)
  })

  it('refuses what is too large or too deep, quickly', () => {
    expect(errorOf(`"${'é'.repeat(limits.serviceJsonBytes / 2)}"`).message).toContain('is larger than 1048576 bytes')
    expect(errorOf('['.repeat(limits.serviceJsonBytes)).message).toBe(
      'Cannot read service.json: line 1 column 65: is nested deeper than 64 levels',
    )
    expect(errorOf('{"a":'.repeat(65)).message).toContain('is nested deeper than 64 levels')
  })

  it.each([
    ['[]', 'a list'],
    ['"x"', 'a string'],
    ['1', 'a number'],
    ['true', 'a boolean'],
  ])('refuses %s', (text, kind) => {
    expect(errorOf(text).options).toEqual([
      { path: '', message: `is ${kind}, must be an object`, at: { line: 1, column: 1 } },
    ])
  })

  it('warns of a key that stands twice and takes the last', () => {
    const { config, warnings } = parseServiceJson('{"name": "a",\n"name": "b", "metadata": {"instance": 1}}')
    expect(config.name).toBe('b')
    expect(warnings).toEqual([
      {
        code: 'duplicate_key',
        path: 'name',
        message: 'name: is there twice, at line 1 and 2; the last one counts',
        at: { line: 2, column: 1 },
      },
    ])
  })

  it('refuses a number that no double holds', () => {
    const text = '{"name": "a", "metadata": {"instance": 1}, "model_config": {"x": 1e999}}'
    expect(errorOf(text).options[0]?.message).toBe('is a number out of range')
  })

  it('leaves out __proto__ keys and takes constructor for a key like any other', () => {
    const text =
      '{"name": "a", "metadata": {"instance": 1, "__proto__": {"gpu": 1}}, "__proto__": {"token": "x"}, "constructor": 1,' +
      '"model_config": {"__proto__": {"polluted": 1}, "constructor": 2}, "labels": {"__proto__": "x", "toString": "y"}}'
    const { config, warnings } = parseServiceJson(text)
    expect(config.token).toBeUndefined()
    expect(config.metadata.gpu).toBe(0)
    expect(Object.keys(config.model_config)).toEqual(['constructor'])
    expect(Object.getPrototypeOf(config.model_config)).toBeNull()
    expect(Object.entries(config.labels)).toEqual([['toString', 'y']])
    expect(messages(warnings)).toEqual([
      'metadata.__proto__: is left out, no configuration has such a key',
      '__proto__: is left out, no configuration has such a key',
      'constructor: is not a known key and is ignored',
      'model_config.__proto__: is left out, no configuration has such a key',
      'labels.__proto__: is left out, no configuration has such a key',
    ])
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })

  it('reports a hundred problems by name and counts the rest, quickly', () => {
    const keys = Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`k${i}`, 1]))
    const { warnings } = parseServiceJson(file(keys))
    expect(warnings).toHaveLength(101)
    expect(warnings.at(-1)).toMatchObject({ code: 'more', message: 'and 59900 more warnings' })
    const flat = Object.fromEntries(Array.from({ length: 30_000 }, (_, i) => [`model_config.k${i}`, 1]))
    expect(Object.keys(config(flat).model_config)).toHaveLength(30_000)
    const storage = Array.from({ length: 5000 }, () => ({}))
    expect(errorOf(file({ storage })).options).toHaveLength(101)
  })
})

describe('parseServiceJson() on keys', () => {
  it('takes flat, nested and mixed keys for the same', () => {
    const forms = [
      { metadata: { instance: 1, rpc: { keepalive: 7 } } },
      { metadata: { instance: 1, 'rpc.keepalive': 7 } },
      { 'metadata.rpc.keepalive': 7, metadata: { instance: 1 } },
      { 'metadata.rpc': { keepalive: 7 }, 'metadata.instance': 1 },
      { 'metadata.instance': 1, metadata: { 'rpc.keepalive': 7, rpc: { worker_threads: 5 } } },
    ]
    for (const form of forms) {
      const { config, warnings } = parseServiceJson(JSON.stringify({ name: 'a', ...form }))
      expect(config.metadata.rpc.keepalive).toBe(7)
      expect(warnings).toEqual([])
    }
  })

  it('reads the grace period under its dotted name and nested', () => {
    expect(config({}, { 'eas.termination_grace_period': 60 }).metadata['eas.termination_grace_period']).toBe(60)
    expect(config({}, { eas: { termination_grace_period: 60 } }).metadata['eas.termination_grace_period']).toBe(60)
  })

  it('takes the last of two forms that differ and warns, and says nothing when they agree', () => {
    const text = '{"name": "a", "metadata.rpc.keepalive": 1,\n"metadata": {"instance": 1, "rpc": {"keepalive": 2}}}'
    const { config, warnings } = parseServiceJson(text)
    expect(config.metadata.rpc.keepalive).toBe(2)
    expect(messages(warnings)).toEqual([
      'metadata.rpc.keepalive: is said in two ways that differ (lines 1 and 2); the last one counts',
    ])
    expect(parseServiceJson(text.replace('2', '1')).warnings).toEqual([])
  })

  it('puts flat keys of model_config inside it', () => {
    const more = {
      'model_config.fg_threads': 3,
      model_config: { fg_mode: 'normal' },
      processor: 'easyrec-torch-1.12',
      'model_config.outputs': 'a, b',
    }
    expect(config(more).torchEasyRec).toMatchObject({ fg_mode: 'normal', fg_threads: 3, outputs: ['a', 'b'] })
    expect(config(more).model_config).toEqual({ fg_mode: 'normal', fg_threads: 3, outputs: 'a, b' })
    expect(warnings(more)).toEqual([])
  })

  it('lets the last of two lists count', () => {
    const more = {
      cloud: { computing: { instances: [{ type: 'a' }, { type: 'b' }] } },
      'cloud.computing.instances': [{ type: 'c' }],
    }
    expect(config(more).cloud.computing.instances).toEqual([{ type: 'c' }])
    expect(warnings(more)).toEqual(['cloud.computing.instances: is said in two ways that differ; the last one counts'])
  })

  it.each([
    [{ modelpath: 'x' }, {}, 'modelpath: is not a known key and is ignored; did you mean model_path?'],
    [{ toekn: 'x' }, {}, 'toekn: is not a known key and is ignored; did you mean token?'],
    [
      {},
      { rpc: { keep_alive: 1 } },
      'metadata.rpc.keep_alive: is not a known key and is ignored; did you mean metadata.rpc.keepalive?',
    ],
    [
      {},
      { 'rpc.keepalvie': 1 },
      'metadata.rpc.keepalvie: is not a known key and is ignored; did you mean metadata.rpc.keepalive?',
    ],
    [
      {},
      { keepalive: 1 },
      'metadata.keepalive: is not a known key and is ignored; did you mean metadata.rpc.keepalive?',
    ],
    [{ processor_params: [] }, {}, 'processor_params: is not a known key and is ignored'],
    [{}, { enable_http2: true }, 'metadata.enable_http2: is not a known key and is ignored'],
    [
      {},
      { rpc: { work_threads: 2 } },
      'metadata.rpc.work_threads: is not a known key and is ignored; did you mean metadata.rpc.worker_threads?',
    ],
    [{ rpc: { keepalive: 1 } }, {}, 'rpc: is not a known key and is ignored; did you mean metadata.rpc?'],
    [{ 'storage[].image': 'x' }, {}, 'storage[].image: is not a known key and is ignored'],
    [{ '': 1 }, {}, ': is not a known key and is ignored'],
    [{ 'a\nb\u001b[31m': 1 }, {}, 'a b [31m: is not a known key and is ignored'],
    [{ zzzzzzzzzz: { a: 1 } }, {}, 'zzzzzzzzzz: is not a known key and is ignored'],
  ])('ignores the unknown key in %j %j', (more, metadata, message) => {
    expect(warnings(more, metadata)).toEqual([message])
  })

  it('treats null and "" as not set', () => {
    expect(
      config({ model_entry: '', token: null, autoscaler: null, cloud: { computing: { instances: null } } }),
    ).toEqual(config())
    expect(warnings({ processor_type: '', processor_path: null, containers: [], sinker: {} })).toEqual([])
    expect(config({ processor_type: '', processor_path: null }).notServable).toEqual([])
  })

  it('warns of a key without effect once, and not when it says its default', () => {
    const containers = [
      { image: 'a', port: 80 },
      { image: 'b', port: 81 },
    ]
    expect(warnings({ containers }, { rdma: 0, enable_grpc: 'false', 'rpc.io_threads': 4, cuda: 11.2 })).toEqual([
      'containers: has no effect, custom images are not run; a built-in processor is needed',
      'metadata.cuda: has no effect, the function brings its own image',
    ])
    expect(warnings({ 'sinker.type': 'sls' })).toEqual(['sinker: has no effect, no request sink is connected'])
  })

  it('takes the newer forms of keys without effect', () => {
    expect(warnings({}, { rdma: 8, shm_size: '64Gi', disk: 60 })).toEqual([
      'metadata.rdma, metadata.shm_size, metadata.disk: have no effect, the function platform places and schedules instances',
    ])
  })

  it('names unknown keys where something is missing: it may stand there under another name', () => {
    expect(() => parseServiceJson('{"service_name": "a", "procesor": "pmml"}')).toThrow(
      'name: is missing, must be in name or metadata.name; service_name: is not a known key and is ignored; ' +
        'procesor: is not a known key and is ignored; did you mean processor?',
    )
    expect(parseServiceJson('{"name": "a", "procesor": "pmml"}').config.notServable).toEqual([
      'processor: is missing',
      'procesor: is not a known key and is ignored; did you mean processor?',
    ])
  })
})

describe('parseServiceJson() on values', () => {
  it('fills in the documented defaults', () => {
    expect(config().metadata).toEqual({
      instance: 1,
      gpu: 0,
      rolling_strategy: {},
      'eas.termination_grace_period': 30,
      rpc: {
        batching: false,
        max_batch_size: 16,
        max_batch_timeout: 50,
        keepalive: 5000,
        worker_threads: 5,
        max_queue_size: 64,
        rate_limit: 0,
        enable_sigterm: false,
      },
    })
  })

  it('is frozen throughout', () => {
    const frozen = config({ model_config: { a: { b: [1] } } })
    expect(Object.isFrozen(frozen.metadata.rpc)).toBe(true)
    expect(() => Object.assign(frozen.model_config, { a: 1 })).toThrow(TypeError)
  })

  it('reads booleans and numbers written as strings', () => {
    expect(config({ generate_token: 'False' }).generate_token).toBe(false)
    expect(config({ generate_token: 'true' }).generate_token).toBe(true)
    const { metadata } = config({}, { cpu: '1.5', instance: ' 3 ', rpc: { batching: 'true', worker_threads: '8' } })
    expect([metadata.cpu, metadata.instance, metadata.rpc.batching, metadata.rpc.worker_threads]).toEqual([
      1.5,
      3,
      true,
      8,
    ])
  })

  it('collects every bad value, with its place, before it throws', () => {
    const text = `{
  "name": "a/b",
  "metadata": {
    "instance": -1,
    "rpc": {"keepalive": 0, "max_queue_size": 1.5, "decompressor": "brotli", "batching": "yes"}
  },
  "storage": [{"oss": {"path": 5}}, 7],
  "autoscaler": {"min": 3, "max": 2}
}`
    const error = errorOf(text)
    expect(error).toBeInstanceOf(EasError)
    expect(error.code).toBe('invalid_request')
    expect(error.message).toBe(
      [
        'Cannot read service.json: name (line 2 column 3): "a/b" is not allowed, must be a letter followed by letters, digits, "_", "." and "-", 128 characters at most',
        'metadata.instance (line 4 column 5): -1 is not allowed, must be an integer from 0 to 100000',
        'metadata.rpc.keepalive (line 5 column 13): 0 is not allowed, must be an integer from 1 to 86400000',
        'metadata.rpc.max_queue_size (line 5 column 29): 1.5 is not allowed, must be an integer from 1 to 1000000',
        'metadata.rpc.decompressor (line 5 column 52): "brotli" is not allowed, must be one of zlib, gzip, snappy, zstd, lz4',
        'metadata.rpc.batching (line 5 column 78): "yes" is not allowed, must be true or false',
        'storage[0].mount_path (line 7 column 15): is missing, must be an absolute path such as "/data"',
        'storage[1] (line 7 column 37): is a number, must be an object',
        'autoscaler.min (line 8 column 18): 3 is not allowed, must be at most max, 2',
      ].join('; '),
    )
    expect(error.options[2]).toEqual({
      path: 'metadata.rpc.keepalive',
      message: '0 is not allowed, must be an integer from 1 to 86400000',
      at: { line: 5, column: 13 },
    })
  })

  it.each([
    [{ token: { a: 'Secret' } }],
    [{ dockerAuth: ['Secret'] }],
    [{ confidential: { decryption_key: [['Secret']] } }],
    [{ confidential: 'Secret' }],
    [{ storage: [{ mount_path: '/a', git: { repo: 'r', password: ['Secret'] } }] }],
    [{ storage: [{ mount_path: '/a', git: 'https://user:Secret@host/' }] }],
    [{ storage: 'Secret' }],
    [{ processor_envs: [{ name: 'A', value: ['Secret'] }] }],
    [{ processor: 'easyrec-torch-1.12', model_config: { access_key_id: ['Secret'] } }],
    [{ processor: 'easyrec-torch-1.12', model_config: { access_key_secret: true, featuredb_password: ['Secret'] } }],
    [{ processor: 'easyrec-torch-1.12', model_config: { security_token: { Secret: 1 } } }],
    [{ processor: 'easyrec-torch-1.12', model_config: 'Secret' }],
    [{ processor: 'easyrec-torch-1.12', model_config: '{"access_key_secret": "Secret' }],
    [{ processor: 'easyrec-3.0', model_config: { url: ['postgresql://Secret'] } }],
    [{ source_token: ['Secret'] }],
  ])('never shows the secret of %j', (more) => {
    const { message } = errorOf(file(more))
    expect(message).not.toContain('Secret')
  })

  it('shows a secret of the wrong type as (hidden)', () => {
    expect(bad({ token: ['Secret'] })).toEqual(['token: (hidden) is not allowed, must be a string'])
  })

  it.each([
    ['digits', 0],
    ['d1_x', 0],
    ['Digits', 1],
    ['a.b-c', 1],
    ['A'.repeat(128), 1],
  ])('accepts the name %s with %i warnings', (name, count) => {
    expect(config({ name }).name).toBe(name)
    expect(warnings({ name })).toHaveLength(count)
  })

  it.each(['a/b', 'a b', 'a\u0000', '1a', '_a', 'é', 'a'.repeat(129), 'a?b', 'a#b', 'a%2f', '..', 'a\n'])(
    'refuses the name %j',
    (name) => {
      expect(bad({ name })).toHaveLength(1)
    },
  )

  it('takes the name from either place, and refuses two names or none', () => {
    expect(config({ name: undefined }, { name: 'inner' }).name).toBe('inner')
    expect(config({ name: 'same' }, { name: 'same' }).name).toBe('same')
    expect(bad({ name: 'one' }, { name: 'two' })).toEqual([
      'metadata.name: "two" and name "one" differ, must be one name',
    ])
    expect(bad({ name: undefined })).toEqual(['name: is missing, must be in name or metadata.name'])
    expect(bad({ name: undefined }, { name: 'a b' })).toHaveLength(1)
  })

  it.each(['zlib', 'GZIP', 'Snappy', 'zstd', 'Lz4'])('accepts the decompressor %s', (decompressor) => {
    expect(config({}, { rpc: { decompressor } }).metadata.rpc.decompressor).toBe(decompressor.toLowerCase())
  })

  it.each([
    ['keepalive', 0],
    ['keepalive', 86_400_001],
    ['worker_threads', 0],
    ['worker_threads', 1025],
    ['max_queue_size', 0],
    ['max_queue_size', 1_000_001],
    ['max_batch_size', 0],
    ['max_batch_timeout', -1],
    ['rate_limit', -1],
    ['worker_threads', '5x'],
    ['worker_threads', true],
    ['worker_threads', [5]],
  ])('refuses rpc.%s %j', (key, value) => {
    expect(bad({}, { rpc: { [key]: value } })).toHaveLength(1)
  })

  it('reads processor_envs by name, the last of two alike', () => {
    const processor_envs = [
      { name: 'A', value: 1 },
      { name: 'B', value: '' },
      { name: 'A', value: true },
      { name: 'C' },
    ]
    expect({ ...config({ processor_envs }).processor_envs }).toEqual({ A: 'true', B: '', C: '' })
    expect(warnings({ processor_envs })).toEqual(['processor_envs[2].name: "A" is there twice; the last one counts'])
    expect(bad({ processor_envs: [{ name: '__proto__', value: 'x' }] })).toHaveLength(1)
    expect(bad({ processor_envs: [{ value: 'x' }] })).toHaveLength(1)
  })

  it('reads every kind of storage, its name in any case', () => {
    const storage = [
      { mount_path: '/1', OSS: { path: 'oss://b/', readOnly: 'true' }, properties: { resource_type: 'model' } },
      { mount_path: '/2', NFS: { path: '/', server: 's' } },
      { mount_path: '/3', git: { repo: 'r', password: 'p' } },
      { mount_path: '/4', dataset: { id: 'd', version: 1, read_only: true } },
      { mount_path: '/5', image: 'i' },
      { mount_path: '/6', empty_dir: {} },
      { mount_path: '/7', Empty_Dir: { medium: 'memory', size_limit: 2 } },
      { mount_path: '/8', 'Oss.path': 'oss://c/' },
    ]
    expect(config({ storage }).storage).toEqual([
      { mount_path: '/1', kind: 'oss', path: 'oss://b/', readOnly: true, resource_type: 'model' },
      { mount_path: '/2', kind: 'nfs', path: '/', server: 's' },
      { mount_path: '/3', kind: 'git', repo: 'r', password: 'p', branch: 'master' },
      { mount_path: '/4', kind: 'dataset', id: 'd', version: '1', read_only: true },
      { mount_path: '/5', kind: 'image', image: 'i' },
      { mount_path: '/6', kind: 'empty_dir' },
      { mount_path: '/7', kind: 'empty_dir', medium: 'memory', size_limit: 2 },
      { mount_path: '/8', kind: 'oss', path: 'oss://c/' },
    ])
  })

  it('refuses storage that is not one mount', () => {
    expect(bad({ storage: [{ mount_path: '/a', image: 'i', oss: { path: 'oss://b/' } }] })).toEqual([
      'storage[0]: has oss and image, must have one of them',
    ])
    expect(bad({ storage: [{ mount_path: '/a', oss: { endpoint: 'e' } }] })).toEqual([
      'storage[0].oss.path: is missing, must be a string',
    ])
    expect(bad({ storage: [{ mount_path: 'a', image: 'i' }] })).toEqual([
      'storage[0].mount_path: "a" is not allowed, must be an absolute path such as "/data"',
    ])
    const twice = [
      { mount_path: '/a', image: 'i' },
      { mount_path: '/a', image: 'j' },
    ]
    expect(bad({ storage: twice })).toEqual(['storage[1].mount_path: "/a" is mounted twice'])
    const unknown = [{ mount_path: '/a', cpfs: { path: 'x' } }]
    expect(config({ storage: unknown }).storage).toEqual([])
    expect(warnings({ storage: unknown })).toEqual([
      'storage[0]: is left out, it has none of oss, nfs, git, dataset, image, empty_dir',
      'storage[0].cpfs: is not a known key and is ignored',
    ])
  })

  it('reads a warm-up path, several joined by commas, or a list', () => {
    expect(config({ warm_up_data_path: 'oss://b/a.bin, oss://b/c.bin' }).warm_up_data_path).toEqual([
      'oss://b/a.bin',
      'oss://b/c.bin',
    ])
    expect(config({ warm_up_data_path: ['a', 'b'] }).warm_up_data_path).toEqual(['a', 'b'])
    expect(config({ warm_up_data_path: '' }).warm_up_data_path).toEqual([])
  })

  it('leaves a share of a GPU out where whole ones are asked for', () => {
    expect(config({}, { gpu_memory: 10 }).metadata.gpu_memory).toBe(10)
    expect(config({}, { gpu: 1, gpu_memory: 10 }).metadata.gpu_memory).toBeUndefined()
    expect(warnings({}, { gpu: 1, gpu_memory: 10 })).toHaveLength(1)
  })

  it('reads autoscaler, labels and features', () => {
    const read = config({
      autoscaler: { min: '1', max: 2, strategies: { qps: '10', 'queue[backlog]': 5 } },
      labels: { team: 'x', 'a.b': 1 },
      features: { 'eas.aliyun.com/extra-ephemeral-storage': '100Gi' },
    })
    expect({ ...read.autoscaler?.strategies }).toEqual({ qps: 10, 'queue[backlog]': 5 })
    expect({ ...read.labels }).toEqual({ team: 'x', 'a.b': '1' })
    expect(read.features).toEqual({ 'eas.aliyun.com/extra-ephemeral-storage': '100Gi' })
    expect(warnings({ features: { 'eas.aliyun.com/other': 'x' } })).toEqual([
      'features.eas.aliyun.com/other: has no effect, feature switches of EAS are unknown to function platforms',
    ])
  })

  it('warns of a token that nobody is asked for', () => {
    expect(warnings({ token: 't', generate_token: 'false' })).toEqual([
      'generate_token: is false, so nobody is asked for the token; leave it out to have it asked for',
    ])
    for (const given of [{ token: 't' }, { generate_token: 'false' }, { token: 't', generate_token: 'true' }]) {
      expect(warnings(given)).toEqual([])
    }
  })

  it('warns where EAS would refuse: no instance count, no model', () => {
    expect(messages(parseServiceJson('{"name": "a", "processor": "pytorch_cpu_1.6"}').warnings)).toEqual([
      'model_path: is missing, and no storage is mounted at /home/admin/docker_ml/workspace/model/',
      'metadata.instance: is missing, EAS requires it; 1 is taken',
    ])
  })
})

describe('parseServiceJson() on processors', () => {
  it.each([
    [{ processor: 'pmml' }, ['processor pmml: PMML models are not run']],
    [{ processor: undefined }, ['processor: is missing']],
    [
      { processor: undefined, containers: [{ image: 'i' }] },
      ['containers: custom images are not run; a built-in processor is needed'],
    ],
    [
      { processor: 'pytorch_cpu1.6' },
      ['processor pytorch_cpu1.6: EAS publishes no such code; did you mean pytorch_cpu_1.6?'],
    ],
    [
      { processor: undefined, processor_type: 'python', processor_path: 'oss://b/p' },
      ['processor_type, processor_path: custom processors (cpp, java, python) cannot run here'],
    ],
    [{ 'metadata.workload_type': 'elasticjob' }, ['metadata.workload_type: services are served, not batch jobs']],
  ])('says why %j is not servable', (more, reasons) => {
    expect(config(more).notServable).toEqual(reasons)
  })

  it('runs a version that is not published, with a warning', () => {
    expect(config({ processor: 'pytorch_gpu_2.1' }).notServable).toEqual([])
    expect(warnings({ processor: 'pytorch_gpu_2.1' })).toEqual([
      'processor pytorch_gpu_2.1: no such version is published; it is served like its family',
    ])
  })

  it('passes model_config on as it stands for families without a table', () => {
    expect(config().model_config).toBe('')
    expect(config({ model_config: '{"a": 1' }).model_config).toBe('{"a": 1')
    expect(config({ model_config: { fg_mode: 5, x: [1, { y: null }] } }).model_config).toEqual({
      fg_mode: 5,
      x: [1, { y: null }],
    })
    expect(config({ model_config: [1, 'a'] }).model_config).toBe('[1,"a"]')
    expect(warnings({ model_config: { fg_mode: 5 } })).toEqual([])
  })

  it('checks model_config of easyrec-torch', () => {
    const processor = 'easyrec-torch-1.12'
    expect(config({ processor }).torchEasyRec).toEqual({
      fg_mode: 'bypass',
      outputs: [],
      item_empty_score: 0,
      faiss_neigh_num: 1,
      faiss_nprobe: 800,
      warmup_cnt_per_file: 20,
      warmup_pb_files_count: 64,
      long_request_threshold: 200,
      save_long_request: false,
      background_feature_thread_num: 4,
    })
    expect(config({ processor, model_config: '{"fg_mode": "NORMAL"}' }).torchEasyRec?.fg_mode).toBe('normal')
    expect(config({ processor, model_config: '{"fg_mode": "NORMAL"}' }).model_config).toEqual({ fg_mode: 'NORMAL' })
    expect(bad({ processor, model_config: { fg_mode: 'tf', faiss_nprobe: 0 } })).toEqual([
      'model_config.fg_mode: "tf" is not allowed, must be one of bypass, normal',
      'model_config.faiss_nprobe: 0 is not allowed, must be an integer from 1 to 10000000',
    ])
    expect(bad({ processor, model_config: 'normal' })).toEqual(['model_config: is a string, must be an object'])
    expect(bad({ processor, model_config: '{"fg_mode"' })[0]).toContain(
      'is not the JSON it begins as (line 1 column 11 of its text)',
    )
    expect(warnings({ processor, model_config: { fgmode: 'normal' } })).toEqual([
      'model_config.fgmode: is not a known key and is ignored; did you mean model_config.fg_mode?',
    ])
    expect(warnings({ processor, model_config: { featuredb_passwd: 'a' } })).toHaveLength(1)
  })

  it('checks model_config of easyrec', () => {
    const processor = 'easyrec-3.0'
    const model_config = { fg_mode: 'tf', outputs: 'b,a', remote_type: 'none', tables: [] }
    expect(config({ processor, model_config }).easyRec).toEqual({
      fg_mode: 'tf',
      outputs: ['b', 'a'],
      item_empty_score: 0,
      faiss_ivf_nprobe: 100,
      save_req: false,
    })
    expect(warnings({ processor, model_config })).toEqual([])
    expect(bad({ processor, model_config: { tables: [{ name: 'a' }] } })).toEqual([
      'model_config.tables[0].key: is missing, must be a string',
    ])
  })

  it('checks the items of the Blade plug-in', () => {
    const plugin = { command: 'blade --mode eas_plugin --optimize_for cpu', image: 'i' }
    const items = {
      optimization_level: 'O2',
      input_shapes: [['1*512', '3*256']],
      quantization: { weight_adjustment: 'true' },
    }
    const read = config({ plugins: [{ ...plugin, config: { model_info: { 'frozen.pb': items } } }] })
    expect(read.plugins[0]?.model_info['frozen.pb']).toEqual({
      optimization_level: 'o2',
      input_shapes: [['1*512', '3*256']],
      quantization: { weight_adjustment: true },
    })
    const wrong = { model_info: { 'a.pb': { optimization_level: 'o3', inputs: 'x' }, 'b.pb': 1 } }
    expect(bad({ plugins: [{ image: 'i', config: wrong }] })).toEqual([
      'plugins[0].command: is missing, must be a string',
      'plugins[0].config.model_info["a.pb"].optimization_level: "o3" is not allowed, must be one of o1, o2',
      'plugins[0].config.model_info["a.pb"].inputs: "x" is not allowed, must be a list of strings',
      'plugins[0].config.model_info["b.pb"]: is a number, must be an object',
    ])
  })
})
