import { arithmeticOps } from './arithmetic.ts'
import { arrayOps } from './arrays.ts'
import { exampleOps } from './example.ts'
import type { HostTable } from './program.ts'
import { sequenceExampleOps } from './sequence-example.ts'
import { setOps } from './sets.ts'
import { sparseOps } from './sparse.ts'
import { stringOps } from './strings.ts'
import { unicodeOps } from './unicode.ts'

/** The tables by family; a name is in one of them only. */
export const hostFamilies: Readonly<Record<string, HostTable>> = {
  strings: stringOps,
  unicode: unicodeOps,
  sparse: sparseOps,
  example: exampleOps,
  sequenceExample: sequenceExampleOps,
  sets: setOps,
  arrays: arrayOps,
  arithmetic: arithmeticOps,
}

/** Every operator the host computes. */
export const hostOps: HostTable = Object.assign({}, ...Object.values(hostFamilies))
