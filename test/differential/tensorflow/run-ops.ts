/**
 * Lowers every case that `ops.py` wrote, compares with what TensorFlow answered, and prints those that differ.
 *
 *     npx tsx test/differential/tensorflow/run-ops.ts FILE… [--only=text]
 */
import { basename } from 'node:path'
import { goldenCases } from './golden-cases.ts'
import { compareCase, same } from './lower-case.ts'

const print = (line: string) => process.stdout.write(`${line}\n`)
const only = process.argv.find((a) => a.startsWith('--only='))?.slice(7) ?? ''

for (const file of process.argv.slice(2).filter((a) => !a.startsWith('--'))) {
  const cases = goldenCases(file).filter(({ name }) => name.includes(only))
  let passed = 0
  for (const one of cases) {
    const what = await compareCase(one).catch((error: Error) => (only ? String(error.stack) : error.message))
    if (what === same) passed++
    else print(`${one.name.padEnd(32)} ${what.slice(0, only ? 4000 : 300)}`)
  }
  print(`${basename(file)}: ${passed} of ${cases.length}`)
}
