import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, type Metafile } from 'esbuild'
import { asHandler, asServer, codeFile, fcEvent, lambdaEvent, type Trainer, train } from './code-cache.ts'
import { packed } from './pack.ts'
import { runtimeFiles } from './runtime-files.ts'
import { checkSizes } from './size.ts'
import { syncFolder } from './sync-folder.ts'
import { licenseNotices } from './third-party.ts'

/** Each thing that runs: the folder of plain JavaScript it becomes, and its entries there. */
interface Bundle {
  readonly outdir: string
  /** Source files by the name of what they become. */
  readonly entries: Readonly<Record<string, string>>
  /** Sources behind an `import()` of an entry that every start of it needs all the same. */
  readonly hot: Readonly<Record<string, readonly string[]>>
  /** How those that answer requests are started for V8 to compile them ahead. */
  readonly trained: Readonly<Record<string, Trainer>>
  readonly format: 'cjs' | 'esm'
  /**
   * The code goes to `folder`, below `outdir`, and `outdir` gets a CommonJS file for each of these entries that hands over to
   * it: for a runtime that loads handlers with `require`.
   */
  readonly handlers?: { readonly folder: string; readonly entries: readonly string[] }
  /** Whether `outdir` is deployed as it is, and so has ONNX Runtime in it, for one platform. */
  readonly isDeployed: boolean
}

export const bundles: readonly Bundle[] = [
  {
    outdir: 'dist/cli',
    entries: { main: 'packages/cli/src/main.ts' },
    hot: { main: ['packages/cli/src/program.ts', 'packages/cli/src/commands/serve.ts'] },
    trained: { main: asServer((service) => ['serve', service]) },
    format: 'cjs',
    isDeployed: false,
  },
  {
    outdir: 'dist/functions/gcp-cloud-run',
    entries: {
      index: 'functions/gcp-cloud-run/src/index.ts',
      events: 'functions/gcp-cloud-run/src/events.ts',
      job: 'functions/gcp-cloud-run/src/job.ts',
    },
    hot: { index: ['functions/gcp-cloud-run/src/server.ts'] },
    trained: { index: asServer(() => []) },
    format: 'esm',
    isDeployed: true,
  },
  {
    outdir: 'dist/functions/aws-lambda',
    entries: { index: 'functions/aws-lambda/src/index.ts', batch: 'functions/aws-lambda/src/batch.ts' },
    hot: {},
    trained: { index: asHandler(lambdaEvent) },
    format: 'esm',
    isDeployed: true,
  },
  {
    outdir: 'dist/functions/aliyun-fc',
    entries: {
      index: 'functions/aliyun-fc/src/index.ts',
      batch: 'functions/aliyun-fc/src/batch.ts',
      container: 'functions/aliyun-fc/src/container.ts',
    },
    hot: { container: ['functions/aliyun-fc/src/container-server.ts'] },
    trained: { index: asHandler(fcEvent), container: asServer(() => []) },
    format: 'esm',
    handlers: { folder: 'app', entries: ['index', 'batch'] },
    isDeployed: true,
  },
]

/** What Function Compute calls beside `handler`. */
const lifecycleHooks = ['initialize', 'preStop']

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Writes `dist/`: per bundle its entries, and beside them `model-worker.js`, which the engine starts for each model. Deployed
 * folders also get ONNX Runtime for one platform and architecture and the notices of what they contain. What esbuild knows of
 * each bundle goes to `dist/meta`, for the checks of sizes and imports.
 *
 * @param arch Of the machine that the deployed folders are for.
 */
async function bundleFor(arch: Arch, chosen = bundles): Promise<void> {
  for (const each of chosen) {
    const { outputFiles, metafile } = await compiled(each)
    const codeDir = join(root, codeDirOf(each))
    const { files: code, packs } = await packed({
      ...each,
      outputFiles,
      metafile,
      entries: [...Object.keys(each.entries), worker],
      hot: { ...each.hot, [worker]: [onnxruntime] },
    })
    for (const pack of [...packs.values()].flat()) {
      const made = join(codeDir, codeFile(pack))
      if (existsSync(made)) code.set(codeFile(pack), { sameAs: made })
    }
    const isTrained = [worker, ...Object.keys(each.trained)].every((entry) =>
      packs.get(entry)?.every((pack) => code.has(codeFile(pack))),
    )
    const inCodeDir = relative(join(root, each.outdir), codeDir)
    const files = new Map([...code].map(([path, content]) => [join(inCodeDir, path), content]))
    if (each.isDeployed) await addDeployed(files, each, metafile, arch)
    await syncFolder(join(root, each.outdir), files)
    const runsHere = !each.isDeployed || (process.platform === 'linux' && process.arch === arch)
    if (runsHere && !isTrained) await train(codeDir, each.trained, (line) => process.stderr.write(`${line}\n`))
    const name = each.outdir.replace(/^dist\//, '')
    await syncFolder(join(root, 'dist/meta', name), new Map([['meta.json', Buffer.from(JSON.stringify(metafile))]]))
  }
}
export type Arch = 'x64' | 'arm64'

/** For x64, as most machines are. */
export const bundle = () => bundleFor('x64')

const codeDirOf = ({ outdir, handlers }: Bundle) => (handlers ? `${outdir}/${handlers.folder}` : outdir)

const compiled = (each: Bundle) =>
  build({
    absWorkingDir: root,
    entryPoints: { ...each.entries, [worker]: 'packages/processor/src/engine/worker-main.ts' },
    outdir: codeDirOf(each),
    write: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: ['onnxruntime-node', 'onnxruntime-node/*'],
    // jsonc-parser's CommonJS form asks for its parts by names that only exist beside it.
    mainFields: ['module', 'main'],
    legalComments: 'linked',
    metafile: true,
    logLevel: 'warning',
    define: { 'import.meta.url': '__moduleUrl' }, // which packs know
  })

/** What the engine starts for each model, beside the entries. */
const worker = 'model-worker'
const onnxruntime = 'node_modules/onnxruntime-common/dist/esm/index.js'

/** What a platform needs beside the code. */
async function addDeployed(
  files: Map<string, Uint8Array | { readonly sameAs: string }>,
  each: Bundle,
  metafile: Metafile,
  arch: Arch,
): Promise<void> {
  const { handlers } = each
  files.set('THIRD_PARTY_NOTICES.txt', Buffer.from(await licenseNotices(metafile, root)))
  if (handlers) {
    files.set('package.json', Buffer.from('{ "type": "commonjs" }\n'))
    for (const name of handlers.entries)
      files.set(`${name}.js`, Buffer.from(handOver(`./${handlers.folder}/${name}.js`)))
  }
  for (const path of await runtimeFiles(join(root, 'node_modules'), arch))
    files.set(`node_modules/${path}`, { sameAs: join(root, 'node_modules', path) })
}

/**
 * A handler may end by its promise; a lifecycle hook is documented to end by its callback, so it does where it is given one.
 * @see Alibaba Cloud "Node.js: lifecycle hooks"
 */
const handOver = (module: string) =>
  `'use strict'
const app = import('${module}')
app.catch(() => {}) // said by the first call
exports.handler = async (event, context) => (await app).handler(event, context)
${lifecycleHooks
  .map(
    (name) => `exports.${name} = (context, callback) => {
  const done = app.then((module) => module.${name}(context))
  if (typeof callback !== 'function') return done
  done.then(() => callback(null, ''), (error) => callback(error))
}`,
  )
  .join('\n')}
`

/** What is deployed, which fits every platform. @throws when it does not, having said what is largest. */
export async function bundleWithinLimits(say: (line: string) => void, arch: Arch = 'x64'): Promise<void> {
  await bundleFor(arch)
  await checkSizes(root, say)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const has = (argument: string) => process.argv.includes(argument)
  const say = (line: string) => process.stdout.write(`${line}\n`)
  // To serve on this machine needs the command line alone.
  if (has('cli'))
    await bundleFor(
      'x64',
      bundles.filter(({ isDeployed }) => !isDeployed),
    )
  else await bundleWithinLimits(say, has('--arm64') ? 'arm64' : 'x64')
}
