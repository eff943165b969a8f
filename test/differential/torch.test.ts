import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { loweredOps } from '@eas/import-torchscript'
import { ImportRefusal } from '@eas/onnx'
import { describe, expect, it } from 'vitest'
import { type Case, loadCases } from './torch/cases.ts'
import { convert, type Dynamics, runCase } from './torch/convert.ts'
import { knownGaps, opsWithoutCase } from './torch/known-gaps.ts'

/**
 * Archives made by PyTorch, lowered to ONNX and run by ONNX Runtime, against what PyTorch computed: ops.py has one operator
 * per archive, zoo.py small models. What is refused or wrong is listed in known-gaps.ts, and has to be struck off there when
 * it is mended.
 */
const folder = join(import.meta.dirname, 'torch/golden')
const files = readdirSync(folder).filter((name) => /\.json(?:\.gz)?$/.test(name))

/** Cases that have to be refused: operators that are not lowered, and models whose outputs depend on the calls before. */
const refused = ['ops-refused.json.gz', 'zoo-refused.json']

/** Operators that were lowered by a case whose outputs are torch's. */
const proven = new Set<string>()

describe.each(files.filter((file) => !refused.includes(file)))('%s', (file) => {
  const gaps = knownGaps[file] ?? {}
  const cases = loadCases(join(folder, file))
  const modes: readonly Dynamics[] = file.startsWith('ops-') ? ['static', 'symbolic'] : ['across-calls']

  it('names gaps that are there', () => {
    const names = cases.map(({ name }) => name)
    expect(Object.keys(gaps).filter((name) => !names.includes(name))).toEqual([])
  })

  it.each(cases)('$name', async (one) => {
    const gap = gaps[one.name]
    for (const dynamics of modes) {
      const outcome = await outcomeOf(one, dynamics)
      if (gap) expect(outcome).toContain(gap)
      else expect(outcome).toBe('as torch')
    }
  })
})

async function outcomeOf(one: Case, dynamics: Dynamics): Promise<string> {
  try {
    const { verdicts, ops } = await runCase(one, dynamics)
    const difference = verdicts.find((verdict) => verdict.difference)?.difference
    if (difference) return difference
    for (const op of ops) proven.add(op)
    return 'as torch'
  } catch (error) {
    return String(error)
  }
}

describe.each(refused)('%s', (file) => {
  it.each(loadCases(join(folder, file)))('$name is refused, and says what to do', async (one) => {
    const refusal = await convert(one, 'static').catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(ImportRefusal)
    for (const { what, where, remedy } of (refusal as ImportRefusal).reasons) {
      expect(what).not.toBe('')
      expect(where).toMatch(/^code\/__torch__\/.*\.py:\d+, in \w+|^the output of the model$/)
      expect(remedy).not.toBe('')
    }
  })
})

it('proves every operator that is lowered', () => {
  const named = (op: string) => [op, `${op}_`].some((name) => proven.has(name.includes('::') ? name : `aten::${name}`))
  expect(loweredOps.filter((op) => !named(op) && !(op in opsWithoutCase))).toEqual([])
  expect(Object.keys(opsWithoutCase).filter(named)).toEqual([])
})
