import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { type Bench, type Figure, type Goal, isMet, type Report } from './bench.ts'
import { benches } from './benches.ts'

/**
 * `npm run bench [-- names] [--json | --markdown | --list]`. Each benchmark compares things side by side in one run. A
 * missed goal is told, not punished: the exit code is 1 only when a benchmark could not be run.
 */

interface Row extends Figure {
  readonly bench: string
}

/** How figures are printed. */
interface Style {
  /** Before the first benchmark. */
  begin?(): string
  /** After each benchmark. */
  show(rows: readonly Row[]): string
}

const number = (value: number) => (Math.abs(value) >= 1000 ? String(Math.round(value)) : String(+value.toPrecision(3)))
const goalText = (goal: Goal) => ('max' in goal ? `at most ${goal.max}` : `at least ${goal.min}`)
const verdict = ({ value, goal }: Row) => (isMet(value, goal) ? 'met' : 'missed')
const cells = (row: Row) => [row.figure, number(row.value), row.unit, row.against, goalText(row.goal), verdict(row)]

const styles = {
  table: { show: (rows) => table(rows.map(cells)) },
  json: {
    show: (rows) =>
      rows
        .map(
          ({ bench, figure, value, unit, against, goal }) =>
            `${JSON.stringify({ bench, figure, value, unit, against, goal })}\n`,
        )
        .join(''),
  },
  markdown: {
    begin: () => `${machine()}\n\n| Benchmark | Figure | Measured | Against | Goal | |\n|---|---|---|---|---|---|\n`,
    show: (rows) =>
      rows
        .map(
          (row) =>
            `| \`${row.bench}\` | ${row.figure} | ${number(row.value)} ${row.unit} | ${row.against} | ${goalText(row.goal)} | ${verdict(row)} |\n`,
        )
        .join(''),
  },
} satisfies Record<string, Style>

const machine = () =>
  `Node ${process.versions.node}, ${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores.`

function table(rows: readonly (readonly string[])[]): string {
  const all = [['figure', 'value', 'unit', 'against', 'goal', ''], ...rows]
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0))) ?? []
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i === 1 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd()
  return `${all.map(line).join('\n')}\n`
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
})
const write = (text: string) => process.stdout.write(text)
const tell = (text: string) => process.stderr.write(`${text}\n`)

function chosen(): readonly Bench[] | undefined {
  const unknown = positionals.filter((name) => !benches.some((bench) => bench.name === name))
  if (unknown.length === 0) return benches.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  tell(`No benchmark is called ${unknown.join(', ')}: there are ${benches.map(({ name }) => name).join(', ')}`)
  return undefined
}

async function runOne(bench: Bench, style: Style): Promise<boolean> {
  tell(`${bench.name}: ${bench.summary}`)
  const rows: Row[] = []
  const report: Report = {
    figure: (figure) => void rows.push({ bench: bench.name, ...figure }),
    missing: (figure, reason) => tell(`${bench.name}: ${figure} is not measured: ${reason}`),
  }
  let ran = true
  try {
    await bench.run(report)
  } catch (thrown) {
    tell(`${bench.name} could not be run: ${thrown instanceof Error ? thrown.stack : thrown}`)
    ran = false
  }
  if (rows.length > 0) write(style.show(rows))
  return ran
}

async function main(): Promise<number> {
  if (options.list) {
    const width = Math.max(...benches.map(({ name }) => name.length))
    for (const { name, summary } of benches) write(`${name.padEnd(width)}  ${summary}\n`)
    return 0
  }
  const picked = chosen()
  if (!picked) return 1
  const style: Style = options.json ? styles.json : options.markdown ? styles.markdown : styles.table
  write(style.begin?.() ?? '')
  let ran = true
  for (const bench of picked) ran = (await runOne(bench, style)) && ran
  return ran ? 0 : 1
}

process.exitCode = await main()
