// Runs the tests on other versions of Node, such as those that functions have: `npm run test:node -- 24`, by default 22 and 24.
// On demand, as npm installs each first, into .cache/node-<version>. What stands behind `--` is for vitest.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { parseArgs } from 'node:util'

const root = new URL('../../../', import.meta.url).pathname
/** The newest of each that this was run with. */
const releases = new Map([
  ['22', '22.23.3'],
  ['24', '24.21.0'],
])

const { positionals, tokens } = parseArgs({ allowPositionals: true, tokens: true })
const end = tokens.find(({ kind }) => kind === 'option-terminator')?.index ?? Number.POSITIVE_INFINITY
const versions = tokens.flatMap((token) => (token.kind === 'positional' && token.index < end ? [token.value] : []))
const forVitest = positionals.slice(versions.length)

for (const version of versions.length > 0 ? versions : releases.keys()) {
  const release = releases.get(version) ?? version
  const folder = join(root, `.cache/node-${release}`)
  const name = `node-${process.platform}-${process.arch}`
  const bin = join(folder, 'node_modules', name, 'bin')
  if (!existsSync(bin)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{}')
    const packageOfNode = `${name}@${release}`
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', packageOfNode], { cwd: folder })
  }
  process.stdout.write(`Node ${release}\n`)
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const { status } = spawnSync(join(bin, 'node'), [vitest, 'run', '--config', 'test/vitest.config.ts', ...forVitest], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
  })
  if (status !== 0) process.exitCode = 1
}
