import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { olderVersions } from './cases.ts'
import type { Language } from './plan.ts'

const run = promisify(execFile)
const cache = resolve(import.meta.dirname, '../../.cache/sdk')

/** A client program ready to run, and the version of the SDK it was built with. */
export interface Client {
  readonly sdk: string
  readonly command: string
  readonly args: readonly string[]
}

interface Recipe {
  /** What decides whether an earlier installation still holds, beside the files of the language's folder. */
  readonly version: string
  /** A checkout of the SDK's public source, built instead of what its registry has. */
  readonly checkout?: string | undefined
  install(source: string, target: string, version: string): Promise<void>
  client(target: string, source: string, version: string): Client
}

const checkoutOf = (name: string) => (process.env[name] ? resolve(process.env[name]) : undefined)
const javaCheckout = checkoutOf('EAS_SDK_JAVA_SOURCE')
const goCheckout = checkoutOf('EAS_SDK_GO_SOURCE')
const fromCheckout = (folder: string) => `built from ${folder}, ${hashFolder(folder).slice(0, 8)}`

const goModule = 'github.com/pai-eas/eas-golang-sdk'
/** Since this class is there, clients may send what the TorchEasyRec processor takes. */
const torchRecRequest = 'com.aliyun.openservices.eas.predict.request.TorchRecRequest'

/**
 * Versions are the newest each registry offered when this was written. The Go SDK has no releases, so its version
 * names a commit of its main branch. Each can be set from the environment to test another one, or a checkout named
 * instead.
 */
const recipes: Record<Language, Recipe> = {
  python: {
    version: process.env.EAS_SDK_PYTHON ?? '0.36',
    async install(_source, target, version) {
      await run('python3', ['-m', 'venv', join(target, 'venv')])
      await run(join(target, 'venv/bin/pip'), ['install', '--quiet', `eas-prediction==${version}`])
    },
    client: (target, source, version) => ({
      sdk: `eas-prediction ${version}`,
      command: join(target, 'venv/bin/python'),
      args: [join(source, 'client.py')],
    }),
  },
  'python-older': {
    version: Object.keys(olderVersions).join(', '),
    async install(_source, target) {
      const pip = join(target, 'venv/bin/pip')
      await run('python3', ['-m', 'venv', join(target, 'venv')])
      // What the SDK asks for now; its first versions take any protobuf, and work with none that is newer.
      await run(pip, [
        'install',
        '--quiet',
        'protobuf<=3.20.3',
        'urllib3',
        'numpy',
        'websocket-client',
        'python-snappy',
      ])
      for (const version of Object.keys(olderVersions)) {
        const folder = join(target, version)
        rmSync(folder, { recursive: true, force: true })
        await run(pip, ['install', '--quiet', '--no-deps', '--target', folder, `eas-prediction==${version}`])
      }
    },
    client: (target, source, version) => ({
      sdk: `eas-prediction ${version}`,
      command: join(target, 'venv/bin/python'),
      args: [join(source, 'client.py'), target, ...Object.keys(olderVersions)],
    }),
  },
  java: {
    checkout: javaCheckout,
    version: javaCheckout ? fromCheckout(javaCheckout) : (process.env.EAS_SDK_JAVA ?? '2.0.3'),
    async install(source, target, version) {
      const [lib, sdk, classes] = ['lib', 'sdk', 'classes'].map((name) => join(target, name)) as [
        string,
        string,
        string,
      ] // three
      for (const folder of [lib, sdk, classes]) rmSync(folder, { recursive: true, force: true })
      const pom = join(javaCheckout ?? source, 'pom.xml')
      const maven = ['--batch-mode', '--quiet', '--file', pom, `-Dmaven.repo.local=${join(target, 'repository')}`]
      if (!javaCheckout) maven.push(`-Deas-sdk.version=${version}`)
      const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies'
      await run('mvn', [...maven, copy, `-DoutputDirectory=${lib}`])
      // For the Java that the SDK is written for: it does not compile as a newer one.
      if (javaCheckout) await compileJava(['--release', '8'], join(javaCheckout, 'src/main/java'), join(lib, '*'), sdk)
      const classPath = [sdk, join(lib, '*')].join(delimiter)
      await compileJava([], join(source, 'src/main/java'), classPath, classes)
      const hasTorchRec = await run('javap', ['-cp', classPath, torchRecRequest]).then(
        () => true,
        () => false,
      )
      if (!hasTorchRec) return
      await compileJava([], join(source, 'src/torchrec/java'), [classes, classPath].join(delimiter), classes)
    },
    client: (target, _source, version) => ({
      sdk: `eas-sdk ${version}`,
      command: 'java',
      args: [
        '-Dfile.encoding=UTF-8', // predict(String) uses the platform's charset
        '-cp',
        [join(target, 'classes'), join(target, 'sdk'), join(target, 'lib', '*')].join(delimiter),
        `-Deas-sdk.version=${version}`,
        'sdksuite.Client',
      ],
    }),
  },
  go: {
    checkout: goCheckout,
    version: goCheckout ? fromCheckout(goCheckout) : (process.env.EAS_SDK_GO ?? 'v0.0.0-20260113074733-d7a9f53eb2d4'),
    async install(source, target, version) {
      const work = join(target, 'src')
      rmSync(work, { recursive: true, force: true })
      cpSync(source, work, { recursive: true }) // the build completes go.mod and writes go.sum
      const modules = {
        GOMODCACHE: join(target, 'modules'),
        GOCACHE: join(target, 'build'),
        GOFLAGS: '-mod=mod -modcacherw',
      }
      const options = { cwd: work, env: { ...process.env, ...modules } }
      if (goCheckout) await run('go', ['mod', 'edit', '-replace', `${goModule}=${goCheckout}`], options)
      else await run('go', ['get', `${goModule}@${version}`], options)
      await run('go', ['build', '-o', join(target, 'client'), '.'], options)
    },
    client: (target, _source, version) => ({
      sdk: `eas-golang-sdk ${version}`,
      command: join(target, 'client'),
      args: [],
    }),
  },
}

/** Compiles every source file of a folder. */
async function compileJava(options: readonly string[], folder: string, classPath: string, target: string) {
  const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.java'))
    .map((name) => join(folder, name))
  await run('javac', [...options, '-nowarn', '-encoding', 'UTF-8', '-cp', classPath, '-d', target, ...sources])
}

/**
 * Installs the SDK of a language and builds its client under `.cache/sdk`, unless that has been done for the same
 * version and the same source files.
 *
 * @throws {Error} with what the installer said.
 */
export async function installClient(language: Language): Promise<Client> {
  const recipe = recipes[language]
  const source = join(import.meta.dirname, language)
  const target = join(cache, recipe.checkout ? `${language}-source` : language)
  const stamp = join(target, 'installed')
  const fingerprint = `${recipe.version} ${hashFolder(source)}`
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== fingerprint) {
    rmSync(stamp, { force: true })
    mkdirSync(target, { recursive: true })
    await recipe.install(source, target, recipe.version).catch((error) => {
      throw new Error(installerMessage(error))
    })
    writeFileSync(stamp, fingerprint)
  }
  return recipe.client(target, source, recipe.version)
}

function hashFolder(folder: string): string {
  const hash = createHash('sha256')
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (/\.(py|java|xml|go|mod)$/.test(name)) hash.update(name).update(readFileSync(join(folder, name)))
  }
  return hash.digest('hex')
}

/** The command that failed and its own words, without the build log around them. */
function installerMessage(error: { message: string; stdout?: string; stderr?: string }): string {
  const words = `${error.stderr ?? ''}\n${error.stdout ?? ''}`
    .split('\n')
    .filter((line) => line.trim() && !/^\[INFO\]|Downloading|For more information|\[Help 1\]$/.test(line))
  return [error.message.split('\n')[0], ...words.slice(0, 6)].join('\n')
}
