import type { TextBags } from '../bags.ts'

/** Every text with `prefix` in front: `need_prefix`. The default, which comes later, is not prefixed. */
export function prefixed(bags: TextBags, prefix: string): TextBags {
  return prefix === '' ? bags : { ...bags, texts: bags.texts.map((text) => prefix + text) }
}
