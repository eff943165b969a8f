import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, copyFileSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const main = join(import.meta.dirname, '../../dist/cli/main.js')
const examples = join(import.meta.dirname, '../../packages/cli/examples/digits')
const golden = join(import.meta.dirname, '../golden')
const folder = mkdtempSync(join(tmpdir(), 'eas-cli-'))
const token = 'synthetic-token-0002'

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs the bundle in the folder of the examples; the token is in the environment unless `env` says otherwise. */
function eas(args: readonly string[], env: Readonly<Record<string, string>> = { EAS_TOKEN: token }): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [main, ...args],
      { cwd: examples, env: { PATH: process.env.PATH, ...env } },
      (_, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}

const services = ['service.json', 'service-tf.json', '../recommender/service.json']
let server: ChildProcess
let base = ''

beforeAll(async () => {
  server = spawn(process.execPath, [main, 'serve', ...services, '--port', '0'], {
    cwd: examples,
    env: { PATH: process.env.PATH, EAS_TOKEN: token, EAS_LOG_LEVEL: 'silent' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let text = ''
  base = await new Promise((resolve, reject) => {
    server.stderr?.on('data', (chunk) => {
      text += chunk
      if (/recommender is ready/.test(text)) resolve(/http:\S+\/api\/predict\//.exec(text)?.[0] ?? '')
    })
    server.on('exit', () => reject(new Error(`serve ended: ${text}`)))
  })
})

afterAll(async () => {
  server.removeAllListeners('exit')
  const ended = new Promise((resolve) => server.once('exit', resolve))
  server.kill('SIGTERM')
  await ended
  rmSync(folder, { recursive: true })
})

describe('eas predict', () => {
  const torch = () => `${base}digits`
  const tf = () => `${base}digits_tf`

  it.each<[string, () => string[]]>([
    ['torch', () => [torch(), 'image=digit.npy']],
    ['torch-map, signed', () => [torch(), 'digit.npy', '--message', 'torch-map', '--sign']],
    ['tf, compressed', () => [tf(), 'images=digit.npy', '--message', 'tf', '--compress', 'snappy']],
    ['torch without the signature', () => [torch(), 'x=digit.npy', '--no-signature', '--output-filter', '0']],
    ['a host without a scheme', () => [torch().slice('http://'.length), 'digit.npy', '--repeat', '3']],
  ])('reads the seven: %s', async (_, args) => {
    const { code, stdout, stderr } = await eas(['predict', ...args()])
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^(?:scores|outputs\[0\]) float32 \[1,10\]\n\[\[[^\]]*\]\] {2}→ 7\nAnswered /)
    expect(code).toBe(0)
  })

  it('reads inputs from standard input', async () => {
    const child = execFile(process.execPath, [main, 'predict', torch(), 'image=-', '--json'], {
      env: { PATH: process.env.PATH, EAS_TOKEN: token },
    })
    child.stdin?.end(readFileSync(join(examples, 'digit.npy')))
    let text = ''
    child.stdout?.on('data', (chunk) => {
      text += chunk
    })
    await new Promise((resolve) => child.once('close', resolve))
    expect(JSON.parse(text).outputs[0].shape).toEqual([1, 10])
  })

  it('says in a line that its output has no room', async () => {
    const full = openSync('/dev/full', 'w')
    const child = spawn(process.execPath, [main, 'inspect', join(examples, 'digit.npy')], {
      stdio: ['ignore', full, 'pipe'],
    })
    closeSync(full)
    let text = ''
    child.stderr?.on('data', (chunk) => {
      text += chunk
    })
    const [code] = await once(child, 'close')
    expect([code, text]).toEqual([1, 'error: Cannot write to standard output: no space is left\n'])
  })

  it('serves and ends although its log cannot be written', async () => {
    const full = openSync('/dev/full', 'w')
    const child = spawn(process.execPath, [main, 'serve', join(examples, 'digits.onnx'), '--port', '0'], {
      env: { PATH: process.env.PATH, EAS_TOKEN: token },
      stdio: ['ignore', full, 'pipe'],
    })
    closeSync(full)
    const [line] = await once(child.stderr ?? child, 'data')
    const ended = once(child, 'exit')
    const [url = ''] = /http:\S+/.exec(String(line)) ?? []
    expect((await fetch(url, { headers: { authorization: token } })).status).toBe(200)
    await new Promise((resolve) => setTimeout(resolve, 300)) // the log is written ten times a second
    expect((await fetch(url, { headers: { authorization: token } })).status).toBe(200)
    child.kill('SIGTERM')
    expect(await ended).toEqual([0, null])
  })

  it('repeats no password of a URL', async () => {
    const ended = await eas(['predict', 'http://user:secret@127.0.0.1/api/predict/digits', 'digit.npy'])
    expect([ended.code, ended.stderr]).toEqual([2, expect.not.stringContaining('secret')])
  })

  it('prints every digit as JSON, as the model gave it', async () => {
    const { rows } = JSON.parse(readFileSync(join(examples, 'held-out.json'), 'utf8'))
    const input = JSON.stringify({ image: rows.map((row: { input: number[] }) => row.input) })
    const { stdout } = await eas(['predict', torch(), input, '--json'])
    const [scores] = JSON.parse(stdout).outputs
    expect(scores).toMatchObject({ name: 'scores', dtype: 'float32', shape: [12, 10] })
    for (const [i, row] of rows.entries()) {
      for (const [j, score] of row.torchScores.entries()) expect(scores.data[i][j]).toBeCloseTo(score, 4)
    }
  })

  it('saves a request that can be sent again, and outputs that can be read', async () => {
    const saved = join(folder, 'request.bin')
    const args = ['predict', tf(), 'images=digit.npy', '--message', 'tf', '--compress', 'gzip']
    const first = await eas([...args, '--save', saved, '--out', folder])
    expect(first.stdout).toContain(`Wrote ${join(folder, 'scores.npy')} [1,10]`)
    const again = await eas(['predict', tf(), '--recorded', saved])
    expect(again.stdout).toContain('→ 7')
    const inspected = await eas(['inspect', saved])
    expect(inspected.stdout).toMatch(
      /\(tf-request\)\nsize.*, gzip of .*\nsignature_name "serving_default"\ninputs\["images"\]/,
    )
    expect((await eas(['inspect', join(folder, 'scores.npy'), '--json'])).stdout).toContain('"shape": [1, 10]')
  })

  it.each<[number, string, () => string[], Record<string, string>?]>([
    [1, 'answered 401: Authorization is missing; set EAS_TOKEN', () => [torch(), 'digit.npy'], {}],
    [1, 'EAS_TOKEN is not the token of this service', () => [torch(), 'digit.npy'], { EAS_TOKEN: 'other' }],
    [1, 'answered 404: Service not found', () => [`${base}nobody`, 'digit.npy']],
    [1, 'Cannot reach http://127.0.0.1:1: connection refused', () => ['127.0.0.1:1/api/predict/a', 'digit.npy']],
    [1, 'Cannot read no.npy: no such file', () => [torch(), 'image=no.npy']],
    [1, 'takes image float32 [?,64], got [1,2]', () => [torch(), 'image=[[1,2]]']],
    [1, 'a service of a tensorflow processor takes --message tf', () => [tf(), 'digit.npy']],
    [1, 'a service of a pytorch processor takes --message torch', () => [torch(), 'digit.npy', '--message', 'tf']],
    [1, 'the service must have metadata.rpc.decompressor lz4', () => [torch(), 'digit.npy', '--compress', 'lz4']],
    [1, 'Cannot write digit.npy/scores.npy: its folder is a file', () => [torch(), 'digit.npy', '--out', 'digit.npy']],
    [1, 'Cannot write /proc/x: ', () => [torch(), 'digit.npy', '--out', '/proc/x']],
    [2, 'no inputs are given; the service takes image float32 [?,64]', () => [torch()]],
    [2, '--sign needs the token', () => [torch(), 'digit.npy', '--sign'], {}],
    [2, '--recorded', () => [torch(), 'digit.npy', '--recorded', 'x']],
    [2, "argument '0' is invalid", () => [torch(), '--timeout', '0']],
    [2, 'only http and https', () => ['ftp://host/x']],
    [2, 'Allowed choices are torch, torch-map, tf', () => [torch(), '--message', 'grpc']],
  ])('ends with %i: %s', async (code, message, args, env) => {
    const ended = await eas(['predict', ...args()], env)
    expect(ended.stderr).toContain(message)
    expect(ended.code).toBe(code)
    expect(ended.stdout).toBe('')
  })
})

describe('eas predict --recorded, of a recommender', () => {
  const page = join(examples, '../recommender/requests/page.pb')

  it('prints the answer whole', async () => {
    const { code, stdout, stderr } = await eas(['predict', `${base}recommender`, '--recorded', page])
    expect(stderr).toBe('')
    expect(stdout).toMatch(
      /PBResponse[\s\S]*map_outputs\["probs_ctr"\] float32 \[3\][\s\S]*item_ids \["item_0001"[\s\S]*Answered in/,
    )
    expect(code).toBe(0)
  })

  it('prints it as JSON, and keeps its tensors', async () => {
    const out = join(folder, 'recommended')
    const args = ['predict', `${base}recommender`, '--recorded', page, '--out', out]
    const { message, kind } = JSON.parse((await eas([...args, '--json'])).stdout)
    expect(kind).toBe('torchrec-response')
    expect(message.item_ids).toEqual(['item_0001', 'item_0002', 'item_0003'])
    expect((await eas(['inspect', join(out, 'probs_ctr.npy')])).stdout).toContain('float32 [3]')
  })

  it('reads it as what it is told to be', async () => {
    const ended = await eas(['predict', `${base}recommender`, '--recorded', page, '--message', 'torch'])
    expect([ended.code, ended.stderr]).toEqual([1, expect.stringContaining('Cannot read the answer as torch')])
  })
})

describe('eas inspect', () => {
  it.each([
    ['digits.onnx', /opset +ai\.onnx 17[\s\S]*inputs\n {2}image {2}float32 \[batch,64\]\noutputs\n {2}scores/],
    ['digit.npy', /NumPy array\nvalues float32 \[1,64\]/],
    ['digits.script.pt', /TorchScript archive[\s\S]*entry +forward\ninputs\n {2}image {2}as a request has it\n/],
    ['digits.savedmodel', /SavedModel[\s\S]*inputs\n {2}images {2}float32 \[\?,64\]\noutputs\n {2}scores/],
    ['service.json', /processor +pytorch_cpu_1\.10[\s\S]*It can be served here\./],
  ])('says what %s is', async (file, text) => {
    const { code, stdout, stderr } = await eas(['inspect', file])
    expect(stderr).toBe('')
    expect(stdout).toMatch(text)
    expect(code).toBe(0)
  })

  it.each([
    ['py_torchrec_basic_token.bin', '(torchrec-request)'],
    ['resp_torchrec_basic.bin', '(torchrec-response)'],
  ])('tells %s from a frozen graph, called .pb as it is recorded', async (recorded, kind) => {
    const file = join(folder, 'recorded.pb')
    copyFileSync(join(golden, 'eas-sdk', recorded), file)
    expect((await eas(['inspect', file])).stdout).toContain(kind)
    expect((await eas(['inspect', join(golden, 'imported/frozen.pb')])).stdout).toContain(': frozen graph')
  })

  it('finds the ONNX model in a folder', async () => {
    const exported = mkdtempSync(join(folder, 'exported-'))
    copyFileSync(join(examples, 'digits.onnx'), join(exported, 'digits.onnx'))
    expect((await eas(['inspect', exported])).stdout).toMatch(/digits\.onnx: ONNX model\n[\s\S]*image {2}float32/)
  })

  it.each([
    ['s3://bucket/model.onnx', 1, 'Cannot inspect s3://bucket/model.onnx: it is a URL'],
    ['nowhere', 1, 'Cannot inspect nowhere: no such file'],
    ['.', 1, 'models; name one: '],
    ['README.md', 1, 'it is no model, array or message that is known'],
  ])('ends for %s with %i', async (file, code, message) => {
    const ended = await eas(['inspect', file])
    expect(ended.stderr).toContain(message)
    expect(ended.code).toBe(code)
  })
})

describe('eas import', () => {
  it('says what became of a model, and writes it', async () => {
    const onnx = join(mkdtempSync(join(tmpdir(), 'eas-import-')), 'digits.onnx')
    const spec = 'image:float32[n,64]'
    const { code, stdout, stderr } = await eas(['import', 'digits.script.pt', '--input', spec, '-o', onnx])
    expect(stderr).toBe('')
    expect(stdout).toMatch(/torchscript, lowered to ONNX in [\s\S]*relative error [\d.e+-]+\n[\s\S]*aten::conv2d/)
    expect(code).toBe(0)
    expect((await eas(['inspect', onnx])).stdout).toMatch(/image {2}float32 \[n,64\]/)
    rmSync(dirname(onnx), { recursive: true })
  })

  it('does not compare what is random with itself', async () => {
    const { code, stdout } = await eas(['import', join(golden, 'imported/noisy.pt'), '--input', 'x:float32[n,3]'])
    expect(stdout).toMatch(/random/)
    expect(stdout).not.toMatch(/relative error/)
    expect(code).toBe(0)
  })

  it.each([
    ['digits.script.pt', 'nothing says what the input image: Tensor will be'],
    ['digits.onnx', 'it is ONNX already'],
    ['nowhere.pt', 'does not exist'],
    ['s3a://bucket/model.pt', 'error: Cannot open s3a://…: not one of file, http'],
    ['digits.savedmodel', 'Cannot write /nowhere/digits.onnx: its folder does not exist', '-o', '/nowhere/digits.onnx'],
  ])('of %s ends with 1: %s', async (file, message, ...options) => {
    const ended = await eas(['import', file, ...options])
    expect(ended.stderr).toContain(message)
    expect(ended.code).toBe(1)
  })
})

describe('eas serve', () => {
  it.each<[number, string, () => string[]]>([
    [1, `: another process listens there; --port takes another port`, () => ['--port', new URL(base).port]],
    [1, 'Cannot listen on 192.0.2.1:0: this machine has no such address', () => ['--host', '192.0.2.1', '--port', '0']],
    [2, '--name <name>', () => ['--name', 'a b']],
    [1, 'Cannot serve digits.onnx and digits.onnx together: digits is a name', () => ['digits.onnx', '--port', '0']],
  ])('ends with %i: %s', async (code, message, args) => {
    const ended = await eas(['serve', 'digits.onnx', ...args()])
    expect(ended.stderr).toContain(message)
    expect(ended.code).toBe(code)
  })
})

describe('eas', () => {
  it.each([
    [[], 2],
    [['--help'], 0],
    [['--version'], 0],
    [['predict', '--help'], 0],
    [['predict'], 2],
    [['guess'], 2],
    [['serve', '--no-such-option'], 2],
  ])('%j ends with %i', async (args, code) => {
    expect((await eas(args)).code).toBe(code)
  })
})
