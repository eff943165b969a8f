import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Vocabulary files that the records name: a word's id is its line number, or stands behind it. */
const files: { readonly [name: string]: string } = {
  'data/test/id_vocab_list_0': '<BLK>\n<OOV>\nabc\nefg\n',
  'data/test/id_vocab_list_1': 'xyz\n<OOV>\nabc\nefg\n',
  'data/test/id_vocab_dict_2': '  0\n<OOV> 1\nabc 2\nefg 2\n',
}

/** Tokenizers, cut down to what the records need: see `trim_tokenizers.py`. */
const tokenizers: { readonly [name: string]: string } = {
  'data/test/tokenizer.json': 'tokenizer.json',
  'data/test/spiece.model': 'spiece.model',
}

export function assets(name: string): Uint8Array {
  const tokenizer = tokenizers[name]
  if (tokenizer !== undefined) return readFileSync(join(import.meta.dirname, 'tokenizers', tokenizer))
  const text = files[name]
  if (text === undefined) throw new Error(`there is no file ${name}`)
  return new TextEncoder().encode(text)
}
