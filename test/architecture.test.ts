import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

/**
 * Who may import whom, from the bottom up; an arrow points from a later row to an earlier one, never within a row.
 * `docs/architecture.md` shows the same picture.
 */
const layers = [
  ['base'],
  ['protocol', 'service-json', 'storage', 'onnx', 'recall'],
  ['import-torchscript', 'import-savedmodel', 'fg', 'feature-store', 'models'],
  ['torcheasyrec', 'batch'],
  ['processor'],
  ['http-server', 'event-sources'],
  ['cli', 'aliyun-fc', 'aws-lambda', 'gcp-cloud-run'],
] as const

/** Third-party libraries, and the one file (or folder of files of one kind) that knows each; two where two packages do. */
const librariesOf: { readonly [library: string]: string | readonly string[] } = {
  '@aws-sdk/client-dynamodb': 'packages/feature-store/src/sources/dynamodb.ts',
  '@aws-sdk/client-s3': 'packages/storage/src/stores/s3-writes.ts',
  '@middy/core': 'functions/aws-lambda/src/middleware.ts',
  'apache-arrow': [
    'packages/batch/src/read/',
    'packages/batch/src/write/',
    'packages/feature-store/src/sources/arrow.ts',
  ],
  'cli-progress': 'packages/cli/src/score-progress.ts',
  commander: 'packages/cli/src/',
  flatbuffers: 'packages/feature-store/src/sources/record-block.ts',
  fzstd: 'packages/batch/src/read/inflate.ts',
  hyparquet: ['packages/batch/src/read/', 'packages/batch/src/write/', 'packages/feature-store/src/sources/parquet.ts'],
  'hyparquet-compressors': ['packages/batch/src/read/parquet.ts', 'packages/feature-store/src/sources/parquet.ts'],
  'hyparquet-writer': 'packages/batch/src/write/parquet.ts',
  ioredis: 'packages/feature-store/src/sources/redis.ts',
  'jsonc-parser': 'packages/service-json/src/jsonc.ts',
  'onnxruntime-common': 'packages/processor/src/session.ts',
  'onnxruntime-node': 'packages/processor/src/session.ts',
  ora: 'packages/cli/src/',
  pg: 'packages/feature-store/src/sources/postgres.ts',
  pino: 'packages/processor/src/log.ts',
  'prom-client': 'packages/processor/src/metrics.ts',
  re2js: ['packages/fg/src/text/replace.ts', 'packages/import-savedmodel/src/host/regex.ts'],
  'tar-stream': 'packages/storage/src/archive/tar.ts',
  'unbzip2-stream': 'packages/storage/src/archive/bzip2.ts',
  valibot: 'packages/service-json/src/value-types.ts',
  yauzl: 'packages/storage/src/archive/zip.ts',
}

const root = join(import.meta.dirname, '..')
/** The folder of every package, by name. */
const folders = new Map(
  ['packages', 'functions'].flatMap((parent) =>
    readdirSync(join(root, parent)).map((name) => [name, `${parent}/${name}`] as const),
  ),
)
const packageNames = [...folders.keys()].sort()
const layerOf = (name: string) => layers.findIndex((layer) => (layer as readonly string[]).includes(name))

interface Source {
  readonly path: string
  readonly text: string
}

function sources(folder: string): Source[] {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return { path: path.slice(root.length + 1), text: readFileSync(path, 'utf8') }
    })
}

/** Module specifiers of static and dynamic imports and of re-exports. */
const importsOf = ({ text }: Source) =>
  [...text.matchAll(/^(?:import|export|\})[^'\n]*\bfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm)].map(
    ([, from, effect, dynamic]) => from ?? effect ?? dynamic ?? '',
  )

describe('the structure', () => {
  it('has every package in one layer', () => {
    expect([...layers.flat()].sort()).toEqual(packageNames)
  })

  it.each(packageNames)('%s depends on lower layers only, and on what its package.json says', (name) => {
    const manifest = JSON.parse(readFileSync(join(root, folders.get(name) ?? '', 'package.json'), 'utf8'))
    const declared = Object.keys(manifest.dependencies ?? {})
    for (const dependency of declared.filter((d) => d.startsWith('@eas/'))) {
      expect(layerOf(dependency.slice('@eas/'.length)), `${name} -> ${dependency}`).toBeLessThan(layerOf(name))
    }
    const imported = new Set(
      sources(`${folders.get(name)}/src`)
        .flatMap(importsOf)
        .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
        .map((specifier) =>
          specifier
            .split('/')
            .slice(0, specifier.startsWith('@') ? 2 : 1)
            .join('/'),
        ),
    )
    expect([...imported].sort()).toEqual(declared.sort())
  })

  it('reaches into no package past its index', () => {
    for (const source of packageNames.flatMap((name) => sources(`${folders.get(name)}/src`))) {
      for (const specifier of importsOf(source)) {
        expect(specifier, source.path).not.toMatch(/^@eas\/[^/]+\/(?!early$)|\.\.\/\.\.\/\.\.\/|packages\/|functions\//)
      }
    }
  })

  it.each(Object.entries(librariesOf))('lets only one place know %s', (library, places) => {
    const knowing = packageNames
      .flatMap((name) => sources(`${folders.get(name)}/src`))
      .filter((source) => importsOf(source).some((name) => name === library || name.startsWith(`${library}/`)))
    expect(knowing.length, `${library} is imported somewhere`).toBeGreaterThan(0)
    for (const { path } of knowing) {
      const isKnown = [places].flat().some((place) => path.startsWith(place))
      expect(isKnown, `${path} imports ${library}`).toBe(true)
    }
  })

  it('lists every third-party library of the packages', () => {
    const used = packageNames.flatMap((name) =>
      Object.keys(
        JSON.parse(readFileSync(join(root, folders.get(name) ?? '', 'package.json'), 'utf8')).dependencies ?? {},
      ),
    )
    expect([...new Set(used.filter((name) => !name.startsWith('@eas/')))].sort()).toEqual(
      Object.keys(librariesOf).sort(),
    )
  })
})
