import { at, cellsOf, type TextBags } from '../bags.ts'
import { defaultValue, expression, stub_type } from '../common-keys.ts'
import { oneOf, text } from '../config-key.ts'
import { finishTexts } from '../finish.ts'
import { IdWriter } from '../ids.ts'
import { defineOperator } from '../operator.ts'
import { int32s } from '../pool.ts'
import { type Tokenizer, tokenizerType } from '../tokenizers.ts'

/** `tokenize_feature`: the ids of a text's tokens; the default is tokenized too. */
export const tokenizeFeature = defineOperator({
  feature_type: 'tokenize_feature',
  summary: "Token ids of a text, by Hugging Face's tokenizer.json or a SentencePiece model.",
  keys: {
    expression,
    vocab_file: text('', 'The tokenizer.', { required: true }),
    tokenizer_type: tokenizerType,
    output_type: oneOf(['word_id'], 'word_id', 'What is given.'),
    default_value: defaultValue(''),
    stub_type,
  },
  compile(config, build) {
    const [ref] = build.refs([config.expression])
    const tokenizer = build.tokenizer(config.tokenizer_type, config.vocab_file)
    if (!ref || !tokenizer) return undefined
    const read = build.texts(ref, undefined)
    const defaults = build.defaultTexts(config.default_value, '\u001d')
    build.output = { kind: 'ids', value_dim: 0, weighted: false }
    return (frame) => {
      const bags = finishTexts(read(frame), defaults, 0, frame.counters, build.index)
      const after = encode(bags, tokenizer)
      return { before: bags, after }
    }
  },
})

function encode(bags: TextBags, tokenizer: Tokenizer) {
  const tokens: number[] = []
  const offsets = int32s(bags.offsets.length)
  for (let cell = 0; cell < cellsOf(bags); cell++) {
    const end = at(bags.offsets, cell + 1)
    for (let i = at(bags.offsets, cell); i < end; i++) {
      for (const token of tokenizer.encode(bags.texts[i] ?? '')) tokens.push(token)
    }
    offsets[cell + 1] = tokens.length
  }
  const writer = new IdWriter(tokens.length)
  for (const [i, token] of tokens.entries()) writer.set(i, token)
  const { rows, steps, malformed } = bags
  return { kind: 'ids', rows, steps, offsets, malformed, ids: writer.ids, weights: undefined } as const
}
