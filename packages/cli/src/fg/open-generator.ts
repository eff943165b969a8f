import { readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { EasError } from '@eas/base'
import { compileFg, type FeatureGenerator, FgConfigError } from '@eas/fg'
import { isRecord } from '../json-input.ts'
import { fileError, readBounded, readText } from '../read-file.ts'

/** Bytes of an `fg.json` or a `model_acc.json`. The largest published ones have 400 kB. */
const documentBytes = 64 * 1024 * 1024

export interface OpenGenerator {
  readonly generator: FeatureGenerator
  /** `cand_seq_pk` of model_acc.json. */
  readonly candidateSequence: string | undefined
}

/**
 * Compiles an `fg.json`, or that of an exported model's folder; files it names, and `model_acc.json`, lie beside it.
 * @throws {EasError} `invalid_request` with everything that is wrong with it.
 */
export async function openGenerator(place: string, farmHash: boolean): Promise<OpenGenerator> {
  const isFolder = await stat(place).then(
    (found) => found.isDirectory(),
    (cause) => {
      throw fileError('read', place, cause)
    },
  )
  const file = isFolder ? join(place, 'fg.json') : place
  const folder = dirname(file)
  const modelAcc = await readModelAcc(join(folder, 'model_acc.json'))
  const env = farmHash ? { ...process.env, USE_FARM_HASH_TO_BUCKETIZE: 'true' } : process.env
  try {
    const generator = await compileFg(await readBounded(file, documentBytes), {
      asset: (name) => readFile(resolve(folder, name)),
      modelAcc,
      env,
    })
    const { cand_seq_pk } = modelAcc ?? {}
    return { generator, candidateSequence: typeof cand_seq_pk === 'string' ? cand_seq_pk : undefined }
  } catch (thrown) {
    if (!(thrown instanceof FgConfigError)) throw thrown
    throw new EasError('invalid_request', thrown.message.replace('fg.json', file), { cause: thrown })
  }
}

async function readModelAcc(file: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  let text: string
  try {
    text = await readText(file, documentBytes)
  } catch (thrown) {
    if (thrown instanceof EasError && thrown.code === 'not_found') return undefined
    throw thrown
  }
  try {
    const json: unknown = JSON.parse(text)
    if (isRecord(json)) return json
  } catch {
    // Said below.
  }
  throw new EasError('invalid_request', `Cannot read ${file}: it is no JSON object`)
}
