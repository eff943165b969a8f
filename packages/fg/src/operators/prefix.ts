import { at, type TextBags } from '../bags.ts'
import { int32s } from '../pool.ts'

/** Every text with `prefix` in front: `need_prefix`. The default, which comes later, is not prefixed. */
export function prefixed(bags: TextBags, prefix: string): TextBags {
  return prefix === '' ? bags : { ...bags, texts: bags.texts.map((text) => prefix + text) }
}

/** Every text as `change` makes it. One of which nothing is left is no value, as an empty text of a request is none. */
export function changed(bags: TextBags, change: (text: string) => string): TextBags {
  const texts = bags.texts.map(change)
  if (!texts.includes('')) return { ...bags, texts }
  const kept: string[] = []
  const offsets = int32s(bags.offsets.length)
  for (let cell = 0; cell + 1 < offsets.length; cell++) {
    for (let i = at(bags.offsets, cell); i < at(bags.offsets, cell + 1); i++) {
      const text = texts[i] ?? ''
      if (text !== '') kept.push(text)
    }
    offsets[cell + 1] = kept.length
  }
  return { ...bags, offsets, texts: kept }
}
