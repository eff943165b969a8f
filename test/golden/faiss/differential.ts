import { compare, readCases, rounding, searchCase } from './compare.ts'

/**
 * `npx tsx test/golden/faiss/differential.ts FOLDER`: compares searches with those that `generate.py --large` wrote to
 * the folder. Exits with 1 when one differs by more than rounding explains.
 */
const [folder] = process.argv.slice(2)
if (!folder) throw new Error('Say which folder generate.py wrote to')

let failed = 0
for (const test of readCases(folder)) {
  const difference = compare(test, await searchCase(folder, test))
  const isSame = difference.wrongIds === 0 && difference.scoreError <= rounding
  if (!isSame) failed++
  const { wrongIds, swapped, scoreError } = difference
  const what = `${test.file} k=${test.k} ${JSON.stringify(test.params)}`
  const facts = `${wrongIds} wrong, ${swapped} swapped of ${test.I.length}, error ${scoreError.toPrecision(2)}`
  process.stdout.write(`${isSame ? 'same  ' : 'DIFFERS'} ${what}: ${facts}\n`)
}
process.exitCode = failed > 0 ? 1 : 0
