import { oneOf } from './config-key.ts'
import { type TokenizerType, tokenizerTypes } from './text/index.ts'

export type { Tokenizer } from './text/index.ts'

const names = Object.keys(tokenizerTypes) as TokenizerType[] // the table's own keys

export const tokenizerType = oneOf(names, 'bpe', 'How `vocab_file` is read: `bpe` is tokenizer.json.')

/** Tokenizers are made before features are compiled, once per type and file. */
export const tokenizerKey = (type: string, file: string): string => `${type} ${file}`
