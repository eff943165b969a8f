import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { EasError, limits, oneLine } from '@eas/base'
import { Command, Option } from 'commander'
import type { Inspection } from '../inspect/inspection.ts'
import { inspectMessage, isRecorded } from '../inspect/message.ts'
import { type MessageRowName, messageRowNames } from '../inspect/messages.ts'
import { inspectLowered, inspectModel } from '../inspect/model.ts'
import { inspectService } from '../inspect/service.ts'
import { tensorContent, toJson } from '../json-output.ts'
import { ofModel } from '../model-trouble.ts'
import { isNpy, readNpy } from '../npy.ts'
import { print, styled, tensorLines } from '../print.ts'
import { fileError, readBounded, readText } from '../read-file.ts'
import { showing } from '../show-after.ts'

interface InspectOptions {
  readonly message?: MessageRowName
  readonly json?: boolean
}

export const inspectCommand = () =>
  new Command('inspect')
    .description('Print what a model, a recorded message, a service.json or a .npy file contains.')
    .argument('<file>', 'model.onnx, model.pt, saved_model/, request.pb, service.json or array.npy')
    .addOption(
      new Option('--message <kind>', 'read the file as this message, in place of finding out').choices(messageRowNames),
    )
    .option('--json', 'print JSON, all values included')
    .addHelpText(
      'after',
      `
Examples:
  eas inspect model.onnx         inputs and outputs with their dtypes and shapes, opset
  eas inspect request.pb         which message it is and what is in it, compressed or not
  eas inspect service.json       what it says, which keys act, and whether it can be served here
  eas inspect digit.npy --json

A recorded message is tried as each of: ${messageRowNames.slice(0, 4).join(', ')},
${messageRowNames.slice(4).join(', ')}.
Exit code: 0 inspected, 1 the file cannot be read or used, 2 wrong use.`,
    )
    .action(inspect)

async function inspect(file: string, { message, json }: InspectOptions): Promise<void> {
  const found = await showing(`Reading ${file}`, inspection(file, message))
  print(json ? toJson(found.json) : found.text)
  if (found.isUnusable) process.exitCode = 1
}

/** Models that are lowered, and files of theirs that are none, which are told what they are. */
const modelNames = /\.(?:pt|pth|jit|torchscript|ptl|pb|pbtxt|pt2|h5|keras|safetensors|ckpt|tflite|pmml)$/i

/** What a file is by its name, for formats that people will try. */
const otherFormats: readonly (readonly [RegExp, string])[] = [
  [/\.(?:npz|zip|gz|tar|tgz)$/i, 'an archive; unpack it and inspect what is inside'],
]

async function inspection(file: string, message: MessageRowName | undefined): Promise<Inspection> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(file)) {
    throw new EasError(
      'not_implemented',
      `Cannot inspect ${file}: it is a URL; eas import and eas serve read models by URL`,
    )
  }
  const found = await stat(file).catch((cause) => {
    throw fileError('inspect', file, cause)
  })
  if (found.isDirectory()) return ofModel('inspect', file, () => inspectFolder(file))
  if (message) return inspectMessage(file, await readBounded(file, limits.bodyBytes), message)
  if (/\.(?:onnx|ort)$/i.test(file)) return ofModel('inspect', file, () => inspectModel(file))
  if (/\.pb$/i.test(file) && found.size <= limits.bodyBytes) {
    // Frozen graphs are called so, and so are the requests that TorchEasyRec's services record.
    const bytes = await readBounded(file, limits.bodyBytes)
    if (isRecorded(bytes)) return inspectMessage(file, bytes, undefined)
  }
  if (modelNames.test(file)) return ofModel('inspect', file, () => inspectLowered(file))
  if (/\.jsonc?$/i.test(file)) return inspectService(file, await readText(file, limits.serviceJsonBytes))
  const other = otherFormats.find(([pattern]) => pattern.test(file))
  if (other) throw new EasError('not_implemented', `Cannot inspect ${file}: it is ${other[1]}`)
  const bytes = await readBounded(file, limits.inflatedBytes)
  return isNpy(bytes) ? inspectNpy(file, bytes) : inspectMessage(file, bytes, undefined)
}

/** A model in a folder: ONNX by its file, any other by what it says of itself. */
async function inspectFolder(folder: string): Promise<Inspection> {
  const all = await readdir(folder)
  const onnx = all.filter((name) => /\.(?:onnx|ort)$/i.test(name))
  const [name] = onnx.includes('model.onnx') ? ['model.onnx'] : onnx
  // As it would be served: an export comes before what lies beside it.
  const isExport = all.some((found) => /^saved_model\.pb(?:txt)?$/.test(found))
  const isScripted = name !== 'model.onnx' && all.includes('scripted_model.pt')
  if (name === undefined || isExport || isScripted) return inspectLowered(folder)
  if (onnx.length > 1 && name !== 'model.onnx') {
    const names = oneLine(onnx.sort().join(', '), 500)
    throw new EasError('invalid_request', `Cannot inspect ${folder}: it has ${onnx.length} models; name one: ${names}`)
  }
  return inspectModel(join(folder, name))
}

function inspectNpy(file: string, bytes: Uint8Array): Inspection {
  const tensor = readNpy(bytes, file)
  return {
    text: `${styled('bold', file)}: NumPy array\n${tensorLines('values', tensor)}`,
    json: { file, kind: 'npy', ...tensorContent(tensor) },
  }
}
