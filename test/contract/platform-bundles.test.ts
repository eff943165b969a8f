import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Script } from 'node:vm'
import { afterAll, describe, expect, it } from 'vitest'
import { bundles } from '../../infra/bundle.ts'
import { codeFile } from '../../infra/code-cache.ts'
import { bundleSizes, renderSizes } from '../../infra/size.ts'
import { staticInputs } from '../../infra/static-inputs.ts'
import { graphs } from '../support/models.ts'
import { onnxModel, scratch } from '../support/onnx.ts'
import { bundled } from '../support/platforms/processes.ts'
import { patient, serviceJson } from '../support/processor.ts'
import { floats, torchBody } from '../support/requests.ts'

/** What is deployed, as files: how large, from whom, and what of it runs when it is imported. */

const root = join(import.meta.dirname, '../..')
const files = scratch('bundles')
afterAll(() => files.remove())
const serviceOf = (name: string, graph: Parameters<typeof onnxModel>[0]) =>
  files.write(`${name}.json`, serviceJson({ name, model: files.write(`${name}.onnx`, onnxModel(graph)), rpc: patient }))
const sum = torchBody([floats([1, 2], 1, 2), floats([1, 2], 10, 20)])

const deployed = bundles.filter(({ isDeployed }) => isDeployed)

describe('What is deployed', () => {
  it('is as large as it may be', async () => {
    for (const { outdir, arch, bytes, bytesMax, files } of await bundleSizes(root)) {
      expect(bytes, `${outdir} ${arch}`).toBeLessThan(bytesMax)
      expect(files[0]?.path, 'the largest').toMatch(/libonnxruntime|onnxruntime_binding/)
    }
  })

  it('is said to be too large with its largest files', () => {
    const sized = Array.from({ length: 20 }, (_, i) => ({ path: `file-${i}`, bytes: (20 - i) * 1_000_000 }))
    const size = { outdir: 'dist/x', arch: 'x64', bytes: 210_000_000, bytesMax: 60_000_000, files: sized }
    const lines = renderSizes([size]).split('\n')
    expect(lines.slice(0, 2)).toEqual(['dist/x x64: 210.0 MB of 60.0 MB', '  20.0 MB file-0'])
    expect(lines).toHaveLength(11)
  })

  it.each(deployed)('as $outdir has the notices of what is in it, and no source maps', ({ outdir }) => {
    const notices = readFileSync(join(root, outdir, 'THIRD_PARTY_NOTICES.txt'), 'utf8')
    for (const name of ['onnxruntime-node', 'pino', 'valibot', '@aws-sdk/client-s3']) {
      expect(notices).toMatch(new RegExp(`^${name} \\d+\\.\\d+`, 'm'))
    }
    const paths = readdirSync(join(root, outdir), { recursive: true, encoding: 'utf8' })
    expect(paths.filter((path) => path.endsWith('.map'))).toEqual([])
    const { inputs } = JSON.parse(readFileSync(join(root, outdir.replace('dist/', 'dist/meta/'), 'meta.json'), 'utf8'))
    for (const input of Object.keys(inputs)) {
      const [, name] = /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input) ?? []
      if (name !== undefined) expect(notices, input).toContain(`${name} `)
    }
  })

  const entries = deployed.flatMap(({ outdir, entries, hot }) =>
    Object.entries(entries).map(([name, entry]) => ({ outdir, entry, hot: hot[name] ?? [] })),
  )
  it.each(entries)('has nothing of an SDK or native behind the import of $entry', async ({ outdir, entry, hot }) => {
    const inputs = [...(await staticInputs(outdir.replace('dist/', ''), entry, hot)).keys()]
    expect(inputs.length).toBeGreaterThan(50)
    const late =
      /node_modules\/(?:@aws-sdk|@smithy|@alicloud|@google-cloud|onnxruntime|apache-arrow|prom-client)|packages\/import-/
    expect(inputs.filter((input) => late.test(input))).toEqual([])
  })
})

describe('The code that V8 has made of a bundle', () => {
  const trained = bundles.flatMap((bundle) =>
    [...Object.keys(bundle.trained), 'model-worker'].map((entry) => ({ ...bundle, entry })),
  )
  it.each(trained)('is there for $entry of $outdir, and V8 takes it', ({ outdir, handlers, entry }) => {
    const folder = join(root, outdir, handlers?.folder ?? '')
    const packs = readdirSync(folder).filter((name) => new RegExp(`^${entry}-[0-9a-f]{8}\\.js$`).test(name))
    expect(packs.length).toBeGreaterThan(0)
    for (const pack of packs) {
      const filename = join(folder, pack)
      const cachedData = readFileSync(join(folder, codeFile(pack.replace(/\.js$/, ''))))
      const source = readFileSync(filename, 'latin1')
      expect(source).toMatch(/^[\0-\x7f]*$/)
      expect(new Script(source, { filename, cachedData }).cachedDataRejected).toBe(false)
    }
  })
})

describe('Importing a bundle', () => {
  const probe = `
    const net = require('node:net'), dns = require('node:dns')
    const opened = []
    net.Socket.prototype.connect = function () { opened.push('socket'); throw new Error('no network') }
    dns.lookup = () => { opened.push('lookup'); throw new Error('no network') }
    globalThis.awslambda = { streamifyResponse: (handler) => handler }
    import(process.argv[1]).then(() => {
      const native = process.report.getReport().sharedObjects.filter((path) => /onnxruntime|\\.node$/.test(path))
      process.stdout.write('\\n' + JSON.stringify({ native, opened }), () => process.exit(0))
    })`

  it.each([
    'aws-lambda/index.js',
    'aws-lambda/batch.js',
    'aliyun-fc/index.js',
    'aliyun-fc/app/index.js',
    'aliyun-fc/batch.js',
  ])('%s loads no native code and asks nobody', (bundle) => {
    const env = {
      ...process.env,
      SERVICE_JSON: serviceOf('import', graphs.add),
      EAS_LOG_LEVEL: 'silent',
      EAS_BATCH_OUTPUT: 's3://results/',
    }
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', probe, bundled(bundle)], { env })
    expect(stderr.toString()).toBe('')
    expect(JSON.parse(stdout.toString().trim().split('\n').at(-1) ?? '')).toEqual({ native: [], opened: [] })
  })

  it('needs nothing of the repository', () => {
    const copy = `${files.write('copy', '')}.d`
    execFileSync('cp', ['-rL', bundled('aws-lambda'), copy])
    const script = `import('${copy}/index.js').then(async ({ handler }) => {
      const event = { version: '2.0', rawPath: '/api/predict/import', rawQueryString: '', headers: { authorization: 't' },
        requestContext: { http: { method: 'POST' } }, isBase64Encoded: true, body: '${Buffer.from(sum).toString('base64')}' }
      process.stdout.write('\\n' + (await handler(event, {})).statusCode, () => process.exit(0)) })`
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], {
      env: { PATH: process.env.PATH, SERVICE_JSON: serviceOf('import', graphs.add), EAS_TOKEN: 't' },
      cwd: '/',
    })
    rmSync(copy, { recursive: true })
    expect([stderr.toString(), stdout.toString().trim().split('\n').at(-1)]).toEqual(['', '200'])
  })
})
