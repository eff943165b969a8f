import { modelTypes } from './huggingface/models.ts'
import { normalizerTypes } from './huggingface/normalizers.ts'
import { preTokenizerTypes } from './huggingface/pre-tokenizers.ts'
import { modelTypes as sentencepieceTypes } from './sentencepiece/model-file.ts'

/** What tokenizer files may be made of, as a Markdown table. */
export function renderTokenizers(): string {
  const rows = [
    ['`tokenizer.json`: model', modelTypes],
    ['`tokenizer.json`: normalizer', normalizerTypes],
    ['`tokenizer.json`: pre-tokenizer', preTokenizerTypes],
    ['`tokenizer.json`: else', ['added_tokens', 'truncation', 'padding']],
    ['SentencePiece `model_type`', Object.keys(sentencepieceTypes)],
  ] as const
  const lines = rows.map(([part, names]) => `| ${part} | ${names.map((name) => `\`${name}\``).join(', ')} |`)
  return ['| part | supported |', '| --- | --- |', ...lines].join('\n')
}
