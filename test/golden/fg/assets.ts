/** Vocabulary files that the records name: a word's id is its line number, or stands behind it. */
const files: { readonly [name: string]: string } = {
  'data/test/id_vocab_list_0': '<BLK>\n<OOV>\nabc\nefg\n',
  'data/test/id_vocab_list_1': 'xyz\n<OOV>\nabc\nefg\n',
  'data/test/id_vocab_dict_2': '  0\n<OOV> 1\nabc 2\nefg 2\n',
}

export function assets(name: string): Uint8Array {
  const text = files[name]
  if (text === undefined) throw new Error(`there is no file ${name}`)
  return new TextEncoder().encode(text)
}
