import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, type Metafile } from 'esbuild'
import { runtimeFiles } from './runtime-files.ts'
import { checkSizes } from './size.ts'
import { syncFolder } from './sync-folder.ts'
import { licenseNotices } from './third-party.ts'

/** Each thing that runs: the folder of plain JavaScript it becomes, and its entries there. */
interface Bundle {
  readonly outdir: string
  /** Source files by the name of what they become. */
  readonly entries: Readonly<Record<string, string>>
  /**
   * The code goes to `folder`, below `outdir`, and `outdir` gets a CommonJS file for each of these entries that hands over to
   * it: for a runtime that loads handlers with `require`.
   */
  readonly handlers?: { readonly folder: string; readonly entries: readonly string[] }
  /** Whether `outdir` is deployed as it is, and so has ONNX Runtime in it, for one platform. */
  readonly isDeployed: boolean
}

export const bundles: readonly Bundle[] = [
  { outdir: 'dist/cli', entries: { main: 'packages/cli/src/main.ts' }, isDeployed: false },
  {
    outdir: 'dist/functions/gcp-cloud-run',
    entries: {
      index: 'functions/gcp-cloud-run/src/index.ts',
      events: 'functions/gcp-cloud-run/src/events.ts',
      job: 'functions/gcp-cloud-run/src/job.ts',
    },
    isDeployed: true,
  },
  {
    outdir: 'dist/functions/aws-lambda',
    entries: { index: 'functions/aws-lambda/src/index.ts', batch: 'functions/aws-lambda/src/batch.ts' },
    isDeployed: true,
  },
  {
    outdir: 'dist/functions/aliyun-fc',
    entries: {
      index: 'functions/aliyun-fc/src/index.ts',
      batch: 'functions/aliyun-fc/src/batch.ts',
      container: 'functions/aliyun-fc/src/container.ts',
    },
    handlers: { folder: 'app', entries: ['index', 'batch'] },
    isDeployed: true,
  },
]

/** What Function Compute calls beside `handler`. */
const lifecycleHooks = ['initialize', 'preStop']

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Writes `dist/`: per bundle its entries, and beside them `model-worker.js`, which the engine starts for each model. Deployed
 * folders also get ONNX Runtime for one platform and architecture and the notices of what they contain. Source maps go to
 * `dist/maps`, and what esbuild knows of each bundle to `dist/meta`, for the checks of sizes and imports.
 *
 * @param arch Of the machine that the deployed folders are for.
 */
export async function bundleFor(arch: Arch, chosen = bundles): Promise<void> {
  for (const each of chosen) {
    const { outputFiles, metafile } = await compiled(each)
    const files = new Map<string, Uint8Array | { readonly sameAs: string }>()
    const maps = new Map<string, Uint8Array>()
    for (const { path, contents } of outputFiles) {
      const isMap = each.isDeployed && path.endsWith('.map')
      ;(isMap ? maps : files).set(relative(join(root, each.outdir), path), contents)
    }
    if (each.isDeployed) await addDeployed(files, each, metafile, arch)
    await syncFolder(join(root, each.outdir), files)
    const name = each.outdir.replace(/^dist\//, '')
    if (each.isDeployed) await syncFolder(join(root, 'dist/maps', name), maps)
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
    entryPoints: { ...each.entries, 'model-worker': 'packages/processor/src/engine/worker-main.ts' },
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
    sourcemap: each.isDeployed ? 'external' : 'linked',
    legalComments: 'linked',
    metafile: true,
    logLevel: 'warning',
    banner: {
      // CommonJS dependencies ask for Node's own modules by `require`, which an ES module does not have.
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  })

/** What a platform needs beside the code. */
async function addDeployed(
  files: Map<string, Uint8Array | { readonly sameAs: string }>,
  each: Bundle,
  metafile: Metafile,
  arch: Arch,
): Promise<void> {
  const { outdir, handlers } = each
  const isModule = '{ "type": "module" }\n'
  files.set('THIRD_PARTY_NOTICES.txt', Buffer.from(await licenseNotices(metafile, root)))
  files.set(join(relative(outdir, codeDirOf(each)), 'package.json'), Buffer.from(isModule))
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
