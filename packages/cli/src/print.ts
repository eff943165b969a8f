import { styleText } from 'node:util'
import { formatShape, oneLine, type Tensor } from '@eas/base'
import { formatValues } from './tensor-text.ts'

type Style = 'bold' | 'dim' | 'yellow' | 'red' | 'green'

/** Text in a style where a person sees it: on a terminal, unless `NO_COLOR` says otherwise. @see https://no-color.org */
export function styled(style: Style, text: string): string {
  return process.stdout.isTTY && !process.env.NO_COLOR ? styleText(style, text) : text
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** A name, dtype and shape, and the values below; of an output, with the largest of each row. */
export function tensorLines(name: string, tensor: Tensor, isOutput = false): string {
  const head = `${styled('bold', oneLine(name, 80))} ${styled('dim', `${tensor.dtype} ${formatShape(tensor.shape)}`)}`
  return `${head}\n${formatValues(tensor, isOutput)}`
}

/** Rows of a label and a text, the texts below each other. */
export function labelled(rows: readonly (readonly [string, string | undefined])[]): string {
  const present = rows.filter((row) => row[1] !== undefined)
  const width = Math.max(...present.map(([label]) => label.length))
  return present.map(([label, text]) => `${styled('dim', label.padEnd(width))}  ${text}`).join('\n')
}

/** `26.2 kB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`
  const units = ['kB', 'MB', 'GB', 'TB']
  const power = Math.min(units.length, Math.floor(Math.log10(bytes) / 3))
  return `${(bytes / 1000 ** power).toFixed(1)} ${units[power - 1]}`
}

export const formatMs = (ms: number): string =>
  `${ms < 10 ? ms.toFixed(2) : ms < 100 ? ms.toFixed(1) : ms.toFixed(0)} ms`
