import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { type Metafile, type OutputFile, transform } from 'esbuild'

/** What esbuild has made of one bundle: ES modules, split so that each piece of code is in one of them. */
export interface SplitBundle {
  readonly outputFiles: readonly OutputFile[]
  readonly metafile: Metafile
  /** Names of its entries, without `.js`. */
  readonly entries: readonly string[]
  /** By entry the sources behind an `import()` that every start needs all the same. */
  readonly hot: Readonly<Record<string, readonly string[]>>
  /** What Node takes the entries for. An entry that awaits at its top is a module of ECMAScript. */
  readonly format: 'cjs' | 'esm'
}

export interface Packed {
  /** Contents by path. */
  readonly files: Map<string, Uint8Array | { readonly sameAs: string }>
  /** By entry the names of its packs, which have a hash of their contents, without `.js`. */
  readonly packs: ReadonlyMap<string, readonly string[]>
}

/**
 * Turns a split bundle into packs: scripts with many modules, for the loader to read in one go together with the code that V8
 * has made of them before (code-cache.ts). Node would find, read and compile dozens of files instead. An entry has a pack of
 * what it is evaluated with, and another of what it then asks for at every start. Modules that are only needed now and then
 * stay files of their own, below `lazy/`.
 */
export async function packed(bundle: SplitBundle): Promise<Packed> {
  const { outputFiles, entries, format } = bundle
  const texts = new Map(outputFiles.map((file) => [basename(file.path), file]))
  const isEntry = (name: string) => entries.includes(name.replace(/\.js$/, ''))
  const files: Packed['files'] = new Map<string, Uint8Array>([
    ['load.cjs', await readFile(new URL('./loader.cjs', import.meta.url))],
    ['package.json', Buffer.from(`{ "type": "${format === 'cjs' ? 'commonjs' : 'module'}" }\n`)],
  ])
  const modules = new Map<string, string>()
  for (const [name, { text, contents }] of texts) {
    if (!name.endsWith('.js')) files.set(name, contents)
    else if (format === 'cjs' || !isEntry(name)) modules.set(name, await moduleOf(text))
  }

  const packs = new Map<string, readonly string[]>()
  const needed: ReadonlySet<string>[] = []
  for (const entry of entries) {
    const first = neededBy(bundle, entry, [])
    const all = neededBy(bundle, entry, bundle.hot[entry] ?? [])
    needed.push(all)
    const parts = [[...first], [...all].filter((name) => !first.has(name))]
    const ids: string[] = []
    for (const names of parts.map((part) => part.filter((name) => modules.has(name)))) {
      if (names.length === 0) continue
      const table = names.map((name) => `${JSON.stringify(`./${name}`)}: ${modules.get(name)}`).join(',\n')
      const pack = Buffer.from(`({\n${table}\n})\n`)
      const id = `${entry}-${createHash('sha256').update(pack).digest('hex').slice(0, 8)}`
      ids.push(id)
      files.set(`${id}.js`, pack)
    }
    packs.set(entry, ids)
    const text = texts.get(`${entry}.js`)?.text ?? ''
    files.set(`${entry}.js`, Buffer.from(format === 'cjs' ? start(entry, ids) : entryOf(text, ids)))
  }
  for (const [name, text] of modules) {
    if (!needed.every((names) => names.has(name)) && !isEntry(name)) files.set(`lazy/${name}`, Buffer.from(text))
  }
  return { files, packs }
}

const start = (entry: string, packs: readonly string[]) =>
  `'use strict'\nrequire('./load.cjs')(${JSON.stringify(packs)})('./${entry}.js')\n`

/** A function of what a CommonJS module has around it. */
async function moduleOf(text: string): Promise<string> {
  const options = { format: 'cjs', platform: 'node', target: 'node20', supported: { 'dynamic-import': false } } as const
  const { code } = await transform(text, { ...options, legalComments: 'none' })
  return `(function (exports, require, module, __moduleUrl) {\n${ascii(builtinsWhenUsed(code))}})`
}

/** What Node itself has is loaded when it is first used, not with the module: a thread takes 6 ms for `node:crypto`. */
const builtinsWhenUsed = (code: string) =>
  [...code.matchAll(/^var (import_\w+) = (require\("node:[^"]+"\));$/gm)].reduce((text, [statement, name, load]) => {
    const rest = text.replace(statement, `var ${name};`)
    const isUsedWhole = new RegExp(`\\b(?<!^var )${name}\\b(?!\\.)`, 'm').test(rest)
    return isUsedWhole ? text : rest.replaceAll(new RegExp(`\\b${name}\\.`, 'g'), `(${name} ??= ${load}).`)
  }, code)

/** esbuild escapes everything but comments. */
const ascii = (code: string) =>
  code.replace(/[^\0-\x7f]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** An entry that stays an ES module: its imports from the bundle go through the loader. */
function entryOf(text: string, packs: readonly string[]): string {
  const rewritten = text
    .replace(
      /^import (\{[^}]*\}) from "(\.\/[^"]+)";$/gm,
      (_, names: string, from: string) => `const ${names.replaceAll(' as ', ': ')} = __load("${from}");`,
    )
    .replace(/^import "(\.\/[^"]+)";$/gm, '__load("$1");')
    .replace(/\bimport\("(\.\/[^"]+)"\)/g, 'Promise.resolve("$1").then(__load)')
  const left = /^(?:import|export)\b.*"\.\/.*$/m.exec(rewritten)
  if (left) throw new Error(`Cannot pack ${packs.join(', ')}: ${left[0]}`)
  const opening = `import { createRequire as __createRequire } from 'node:module'
const __moduleUrl = import.meta.url
const require = __createRequire(__moduleUrl)
const __load = require('./load.cjs')(${JSON.stringify(packs)})
`
  return opening + rewritten
}

/** The modules that an entry evaluates when it starts, with those that it imports later if `hot` names them. */
function neededBy({ metafile }: SplitBundle, entry: string, hot: readonly string[]): ReadonlySet<string> {
  const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [basename(path), output]))
  const found = new Set<string>()
  const waiting = [`${entry}.js`]
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue
    found.add(name)
    for (const { path, kind, external } of outputs.get(name)?.imports ?? []) {
      const isHot = kind === 'dynamic-import' && hot.includes(outputs.get(basename(path))?.entryPoint ?? '')
      if (!external && (kind === 'import-statement' || isHot)) waiting.push(basename(path))
    }
  }
  return found
}
