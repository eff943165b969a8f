import { shown } from '../config-key.ts'
import type { CustomOperator } from '../custom-operator.ts'
import { compileReplace, editDistance } from '../text/index.ts'

/** The official operators of `custom_feature` that work on texts; SeqExpr, which works on columns, is beside them. */
export const officialOperators: ReadonlyMap<string, CustomOperator> = new Map<string, CustomOperator>([
  [
    'EditDistance',
    {
      output: 'numbers',
      separator: undefined,
      steps: ([a = [], b = []]) => (a[0]?.length ?? 0) * (b[0]?.length ?? 0),
      compile({ encoding = 'latin' }) {
        if (encoding !== 'latin' && encoding !== 'utf-8') {
          throw new Error(`encoding is ${shown(encoding)}, expected latin, utf-8`)
        }
        return ([a = [], b = []]) =>
          a[0] === undefined || b[0] === undefined ? [] : [editDistance(a[0], b[0], encoding)]
      },
    },
  ],
  [
    'RegexReplace',
    {
      output: 'texts',
      // `regex_patten` is how the operator itself spells it.
      compile({ regex_patten, regex_pattern = regex_patten, replacement = '' }) {
        if (typeof regex_pattern !== 'string') throw new Error(`regex_patten is ${shown(regex_pattern)}, expected text`)
        if (typeof replacement !== 'string') throw new Error(`replacement is ${shown(replacement)}, expected text`)
        const replace = compileReplace(regex_pattern, replacement)
        return ([texts = []]) => texts.map(replace)
      },
    },
  ],
])
