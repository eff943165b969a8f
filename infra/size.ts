import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { runtimeFiles } from './runtime-files.ts'

const MB = 1_000_000

/** What a deployed folder may weigh, unpacked. */
const sizeLimits = [
  // Lambda itself stops at 262 MB (250 MiB); these leave a model its room, and keep cold starts short.
  { outdir: 'dist/functions/aws-lambda', arch: 'x64', bytesMax: 60 * MB },
  { outdir: 'dist/functions/aws-lambda', arch: 'arm64', bytesMax: 40 * MB },
  // A code package of Function Compute may have 100 MB as it is sent and 500 MB from OSS.
  { outdir: 'dist/functions/aliyun-fc', arch: 'x64', bytesMax: 60 * MB },
  { outdir: 'dist/functions/gcp-cloud-run', arch: 'x64', bytesMax: 60 * MB },
] as const

interface SizedFile {
  readonly path: string
  readonly bytes: number
}
export interface BundleSize {
  readonly outdir: string
  readonly arch: string
  readonly bytes: number
  readonly bytesMax: number
  /** The largest first. */
  readonly files: readonly SizedFile[]
}

/** Sizes of what `bundle()` has written, with ONNX Runtime for the architecture in question in place of the one staged. */
export async function bundleSizes(root: string): Promise<readonly BundleSize[]> {
  const nodeModules = join(root, 'node_modules')
  const sizeOf = (path: string) => lstatSync(path).size
  return Promise.all(
    sizeLimits.map(async ({ outdir, arch, bytesMax }) => {
      const own = readdirSync(join(root, outdir), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(join(root, outdir).length + 1))
        .filter((path) => !path.startsWith('node_modules/'))
        .map((path) => ({ path, bytes: sizeOf(join(root, outdir, path)) }))
      const runtime = (await runtimeFiles(nodeModules, arch)).map((path) => ({
        path: `node_modules/${path}`,
        bytes: sizeOf(join(nodeModules, path)),
      }))
      const files = [...own, ...runtime].sort((a, b) => b.bytes - a.bytes)
      return { outdir, arch, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0), bytesMax, files }
    }),
  )
}

const megabytes = (bytes: number) => `${(bytes / MB).toFixed(1)} MB`

/** A line per bundle; for one over its limit also its largest files. */
export const renderSizes = (sizes: readonly BundleSize[]): string =>
  sizes
    .flatMap(({ outdir, arch, bytes, bytesMax, files }) => [
      `${outdir} ${arch}: ${megabytes(bytes)} of ${megabytes(bytesMax)}`,
      ...(bytes > bytesMax ? files.slice(0, 10).map((file) => `  ${megabytes(file.bytes)} ${file.path}`) : []),
    ])
    .join('\n')

/**
 * Says how large everything is that is deployed.
 * @throws when something is larger than it may be.
 */
export async function checkSizes(root: string, say: (line: string) => void): Promise<void> {
  const sizes = await bundleSizes(root)
  say(renderSizes(sizes))
  const over = sizes.filter(({ bytes, bytesMax }) => bytes > bytesMax)
  if (over.length > 0)
    throw new Error(`Too large to deploy: ${over.map(({ outdir, arch }) => `${outdir} ${arch}`).join(', ')}`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await checkSizes(fileURLToPath(new URL('..', import.meta.url)), (line) => process.stdout.write(`${line}\n`))
}
