/**
 * Lowers every model of a zoo that `zoo.py` wrote and compares with what TensorFlow answered.
 *
 *     npx tsx test/differential/tensorflow/run.ts FOLDER [name…]
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileSource, folderOf, importFrozenGraph } from '@eas/import-savedmodel'
import { unpackRuns } from './golden-cases.ts'
import { compareRuns, importWithShapes, weightsIn } from './lower-case.ts'

const [root = '', ...wanted] = process.argv.slice(2)
const names = wanted.length > 0 ? wanted : readdirSync(root).filter((n) => existsSync(join(root, n, 'cases.json')))

async function check(name: string): Promise<string> {
  const { kind, signature, tolerance, ...document } = JSON.parse(readFileSync(join(root, name, 'cases.json'), 'utf8'))
  const runs = unpackRuns(document.runs)
  const [first] = runs
  const folder = join(root, name, 'model')
  const begun = performance.now()
  const model =
    kind === 'frozen'
      ? await importFrozenGraph(await fileSource(join(folder, 'frozen.pb')), {
          inputs: Object.keys(first?.feeds ?? {}),
          outputs: Object.keys(first?.fetches ?? {}),
          location: 'frozen.pb',
        })
      : await importWithShapes(folderOf(folder), runs, signature ? { signature } : {})
  const ms = Math.round(performance.now() - begun)
  const { what, worst } = await compareRuns(model, runs, weightsIn(folder, model), tolerance)
  if (what) return `BAD   ${what}`
  return `ok    ${worst.toExponential(1)} ${String(ms).padStart(6)} ms ${String(model.model.size >> 10).padStart(6)} kB`
}

const print = (line: string) => process.stdout.write(`${line}\n`)

let passed = 0
for (const name of names) {
  const result = await check(name).catch((error: Error) => `FAIL  ${error.message.slice(0, 600)}`)
  if (result.startsWith('ok')) passed++
  print(`${name.padEnd(24)} ${result}`)
}
print(`${passed} of ${names.length}`)
