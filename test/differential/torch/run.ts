import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type Case, loadCases } from './cases.ts'
import { type Dynamics, runCase } from './convert.ts'

/**
 * Runs what zoo.py or ops.py exported through the importer and ONNX Runtime, and prints a row per archive.
 *
 *     npx tsx test/differential/torch/run.ts <folder or index.json …> [--only=text] [--failed] [--mode=static,symbolic]
 */
const options = new Map(
  process.argv.slice(2).flatMap((a) => (a.startsWith('--') ? [a.slice(2).split('=') as [string, string]] : [])),
)
const files = process.argv
  .slice(2)
  .filter((a) => !a.startsWith('--'))
  .flatMap((path) =>
    statSync(path).isDirectory()
      ? readdirSync(path)
          .filter((f) => /\.json(?:\.gz)?$/.test(f))
          .map((f) => join(path, f))
      : path,
  )
const only = options.get('only')
const showsAll = !options.has('failed')
const print = (line: string) => process.stdout.write(`${line}\n`)

let [passed, total, worst] = [0, 0, 0]
const reasons = new Map<string, string[]>()

for (const file of files) {
  for (const one of loadCases(file)) {
    if (only && !one.name.includes(only)) continue
    const modes = (options.get('mode')?.split(',') ??
      (one.form ? ['across-calls'] : ['static', 'symbolic'])) as Dynamics[]
    for (const mode of modes) {
      total++
      const { ok, text, error } = await attempt(one, mode)
      if (ok) passed++
      else {
        const reason = text.replaceAll(/\d+/g, '#').slice(0, 70)
        reasons.set(reason, [...(reasons.get(reason) ?? []), one.name])
      }
      worst = Math.max(worst, error)
      if (showsAll || !ok) print(`${ok ? 'pass' : 'FAIL'}  ${one.name} ${mode}: ${text}`)
    }
  }
}
print('')
for (const [reason, names] of [...reasons].sort((a, b) => b[1].length - a[1].length)) {
  print(`${String(names.length).padStart(5)}  ${reason}   e.g. ${names[0]}`)
}
print(`${passed} of ${total} pass; worst relative error ${worst.toExponential(1)}`)

async function attempt(one: Case, mode: Dynamics): Promise<{ ok: boolean; text: string; error: number }> {
  try {
    const { verdicts, importMs, notes } = await runCase(one, mode)
    const difference = verdicts.find((verdict) => verdict.difference)?.difference
    const errors = verdicts.map((verdict) => (verdict.difference ? 'differs' : verdict.error.toExponential(1)))
    const text = `${errors.join(' ')} (${importMs.toFixed(0)} ms${notes.length > 0 ? `; ${notes.slice(0, 4).join(', ')}` : ''})`
    const error = verdicts.reduce((most, verdict) => (verdict.difference ? most : Math.max(most, verdict.error)), 0)
    return { ok: !difference, text: difference ? `${difference} | ${text}` : text, error }
  } catch (error) {
    return { ok: false, text: line(error), error: 0 }
  }
}

function line(error: unknown): string {
  if (process.env.STACK && error instanceof Error) return `${error.stack}`
  return (error instanceof Error ? error.message : `${error}`).replaceAll('\n', ' ').slice(0, 300)
}
