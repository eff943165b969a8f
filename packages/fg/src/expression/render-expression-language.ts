import { constants } from './parser.ts'
import { binaryOperators, scalarFunctions } from './scalar-functions.ts'
import { vectorFunctions } from './vector-functions.ts'

/** Operators, functions and constants of expressions, as a Markdown table. */
export function renderExpressionLanguage(): string {
  const levels = [...new Set([...binaryOperators.values()].map(({ precedence }) => precedence))].sort((a, b) => a - b)
  const ofLevel = (level: number) =>
    [...binaryOperators]
      .filter(([, { precedence }]) => precedence === level)
      .map(([sign]) => code(sign))
      .join(' ')
  const names = (functions: Iterable<string>) => [...functions].map(code).join(' ')
  const rows = [
    ['operators, the loosest first', [code('?:'), ...levels.map(ofLevel), 'signs', code('^')].join(', ')],
    ['functions of numbers', names(['rnd', ...scalarFunctions.keys()])],
    ['functions of vectors', names(vectorFunctions.keys())],
    ['constants', names(constants.keys())],
  ]
  return ['| | |', '| --- | --- |', ...rows.map(([kind, list]) => `| ${kind} | ${list} |`)].join('\n')
}

/** A `|` would end the cell. */
const code = (text: string) => `\`${text.replaceAll('|', '\\|')}\``
