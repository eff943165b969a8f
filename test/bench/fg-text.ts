import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
// Tokenizers are an internal of the package: what is measured here is not what it exports.
import { createTokenizer } from '../../packages/fg/src/text/index.ts'
import { type Bench, roundsFromEnv } from './bench.ts'
import { cpuMs } from './fg-cpu.ts'
import { median } from './interleave.ts'
import { preparePython } from './python.ts'
import { root } from './servers.ts'

const golden = join(root, 'test/golden/fg-text')
const tokenizers = {
  'byte-level BPE': 'bpe-byte-level.json',
  'BPE as Llama 2': 'bpe-byte-fallback.json',
  WordPiece: 'wordpiece-bert.json',
  'Unigram, tokenizer.json': 'unigram-precompiled.json',
  'SentencePiece unigram': 'sp-unigram.model',
  'SentencePiece BPE': 'sp-bpe.model',
} as const

/** Texts to ids, one at a time, in processor time, against the native libraries behind their Python packages. */
export const fgText: Bench = {
  name: 'fg-text',
  summary: 'tokenizers, against the tokenizers and sentencepiece packages of Python',
  async run(report) {
    const rounds = roundsFromEnv(9)
    const folder = mkdtempSync(join(tmpdir(), 'fg-text-'))
    const textsFile = join(folder, 'texts.json')
    const texts = manyTexts()
    writeFileSync(textsFile, JSON.stringify(texts))
    try {
      for (const [name, file] of Object.entries(tokenizers)) {
        const figure = `${name}, times slower`
        let theirs: readonly number[]
        try {
          theirs = await pythonSamples(file, textsFile, rounds)
        } catch (thrown) {
          report.missing(
            figure,
            thrown instanceof Error ? (thrown.message.trim().split('\n').at(-1) ?? '') : `${thrown}`,
          )
          continue
        }
        const ours = samplesOf(file, texts, rounds)
        report.figure({
          figure,
          value: median(ours) / median(theirs),
          unit: 'x',
          against: `the Python package, ${((median(theirs) * 1000) / texts.length).toPrecision(3)} us a text`,
          goal: { max: 2 },
        })
      }
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
}

/** Processor milliseconds of each round over all texts, after two that warm up. */
function samplesOf(file: string, texts: readonly string[], rounds: number): number[] {
  const { encode } = createTokenizer(
    file.endsWith('.model') ? 'sentencepiece' : 'bpe',
    readFileSync(join(golden, file)),
  )
  const samples = Array.from({ length: rounds + 2 }, () => {
    return cpuMs(() => {
      for (const text of texts) encode(text)
    })
  })
  return samples.slice(2)
}

async function pythonSamples(file: string, textsFile: string, rounds: number): Promise<number[]> {
  const { command } = await preparePython()
  const script = join(import.meta.dirname, 'fg_text.py')
  const env = { ...process.env, RAYON_NUM_THREADS: '1', TOKENIZERS_PARALLELISM: 'false' }
  const { stdout } = await promisify(execFile)(command, [script, join(golden, file), textsFile, `${rounds}`], { env })
  return JSON.parse(stdout) // a list of numbers, by the script
}

/** Each text of the golden ones that a person could have written, a hundred times in other orders of words. */
function manyTexts(): string[] {
  const golden60 = (JSON.parse(readFileSync(join(golden, 'texts.json'), 'utf8')) as string[]).slice(-60) // of our making
  return golden60.flatMap((text) => {
    const words = text.split(' ')
    return Array.from({ length: 100 }, (_, i) =>
      [...words.slice(i % words.length), ...words.slice(0, i % words.length)].join(' '),
    )
  })
}
