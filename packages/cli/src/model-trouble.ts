import { open, stat } from 'node:fs/promises'
import { EasError } from '@eas/base'
import { describeModel, machineOf, settingsFromEnv } from '@eas/processor'

type Attempt = 'inspect' | 'import' | 'prepare'

/**
 * What `work` gives of a model. What goes wrong is told by the model's name, and with the way out where a command has one.
 *
 * @param model As it was given: a file, a folder or a URL.
 * @throws {EasError}
 */
export async function ofModel<T>(attempt: Attempt, model: string, work: () => Promise<T>): Promise<T> {
  await refuseStandIn(attempt, model)
  try {
    return await work()
  } catch (thrown) {
    if (!(thrown instanceof EasError)) throw thrown
    const { code, message } = thrown
    const isNamed = message.includes(model)
    const named = isNamed ? message : message.replace(attempts, `Cannot ${attempt} ${model}: `)
    throw new EasError(code, named + (await wayOut(attempt, model, message)), { cause: thrown })
  }
}

/** What was attempted, by those below, who do not know what the model is called. */
const attempts = /^(?:Cannot (?:prepare|lower|load|describe) the model: )+/

/** The inputs that a TorchScript archive does not describe, in the words of its importer. */
const unknownInputs = /nothing says what the input (\S+?): /g

async function wayOut(attempt: Attempt, model: string, message: string): Promise<string> {
  const inputs = [...message.matchAll(unknownInputs)].map(([, name]) => `--input ${name}:<dtype>[<sizes>]`).join(' ')
  const onnx = `-o ${stemOf(model)}.onnx, then prepare that`
  if (inputs && attempt === 'import') return `\n  as in: eas import ${model} ${inputs}`
  if (attempt !== 'prepare') return ''
  if (inputs) return `; lower it with eas import ${model} ${inputs} ${onnx}`
  const isFrozenGraph = message.endsWith('only its requests say which nodes they ask for')
  return isFrozenGraph ? `; lower it with eas import ${model} --fetch ${await lastNode(model)} ${onnx}` : ''
}

const stemOf = (model: string) =>
  model
    .replace(/\/+$/, '')
    .replace(/^.*\//, '')
    .replace(/\.[^.]*$/, '')

/** A node of a frozen graph that nothing else takes. */
async function lastNode(model: string): Promise<string> {
  const description = await describeModel(model, process.cwd(), machineOf(settingsFromEnv(process.env))).catch(() => {})
  return description?.outputs[0]?.name ?? '<node>'
}

/** What is often found in a model's place, by how it begins. */
const standIns: readonly (readonly [RegExp, string])[] = [
  [/^version https:\/\/git-lfs/, 'it is a pointer of Git LFS; git lfs pull fetches the file itself'],
  [/^\s*<(?:!doctype|html|\?xml)\b/i, 'it is a web page or an error, not what was to be downloaded'],
]

/**
 * Refuses a local file that only stands in a model's place, which readers of formats call damaged.
 * @throws {EasError} `invalid_request` naming what it is.
 */
export async function refuseStandIn(attempt: Attempt | 'use', path: string): Promise<void> {
  const found = await stat(path).catch(() => {}) // a URL, or told by who reads it
  if (!found?.isFile()) return
  const facts = found.size === 0 ? 'it is empty' : (otherFile(path) ?? (await standsFor(path).catch(() => undefined)))
  if (facts) throw new EasError('invalid_request', `Cannot ${attempt} ${path}: ${facts}`)
}

const otherFile = (path: string) =>
  /\.jsonc?$/i.test(path) ? 'it is no model; give what its model_path names' : undefined

async function standsFor(path: string): Promise<string | undefined> {
  const handle = await open(path)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(100), 0, 100, 0)
    const text = buffer.toString('latin1', 0, bytesRead)
    return standIns.find(([pattern]) => pattern.test(text))?.[1]
  } finally {
    await handle.close()
  }
}
