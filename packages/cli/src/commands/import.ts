import { access, constants } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { EasError } from '@eas/base'
import { type ImportInput, importToOnnx, machineOf, settingsFromEnv } from '@eas/processor'
import { Command, InvalidArgumentError } from 'commander'
import { ofModel } from '../model-trouble.ts'
import { formatBytes, formatMs, labelled, print, styled } from '../print.ts'
import { fileError } from '../read-file.ts'
import { showing } from '../show-after.ts'

interface ImportOptions {
  readonly output?: string
  readonly signature?: string
  readonly fetch?: readonly string[]
  readonly input?: readonly ImportInput[]
  readonly check: boolean
  readonly json?: boolean
}

export const importCommand = () =>
  new Command('import')
    .description('Lower a TorchScript archive, a SavedModel or a frozen graph to ONNX.')
    .argument('<model>', 'model.pt, saved_model/ or frozen.pb; a file, a folder or a URL')
    .option('-o, --output <file>', 'where to write the ONNX file (default: nowhere, only say what became of it)')
    .option('--signature <name>', 'signature of a SavedModel (default: serving_default, else the first by name)')
    .option(
      '--fetch <node>',
      'node of a frozen graph to answer with; once for each',
      (text: string, before: readonly string[] = []) => [...before, text],
    )
    .option(
      '--input <spec>',
      'dtype and shape of an input that the model does not say, such as x:float32[batch,3,224,224]; once for each',
      (text: string, before: readonly ImportInput[] = []) => [...before, parseInput(text)],
    )
    .option('--no-check', 'do not compare with the model lowered for fixed sizes')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  eas import resnet18.pt --input x:float32[batch,3,224,224] -o resnet18.onnx
  eas import saved_model/ --signature serving_default --json
  eas import frozen.pb --fetch softmax -o frozen.onnx

A size is a number, or a name for one that may change; an example after a colon decides branches on it: x:float32[n:8,3].
eas serve does all this by itself: there is no need to import a model before it is served.`,
    )
    .action(run)

async function run(
  model: string,
  { output, signature = '', fetch = [], input = [], check, json }: ImportOptions,
): Promise<void> {
  const machine = machineOf(settingsFromEnv(process.env))
  // Before minutes are spent on it.
  if (output !== undefined) await access(dirname(resolve(output)), constants.W_OK).catch(rethrownFor(output))
  const start = performance.now()
  const options = { signature, fetches: fetch, inputs: input, to: output && resolve(output), check }
  const report = await showing(
    `Importing ${model}`,
    ofModel('import', model, () => importToOnnx(model, resolve('.'), machine, options)),
  )
  if (json) return print(JSON.stringify(report, null, 2))
  const { format, entry, inputs, outputs, prologue, ops, guards, assumptions, warnings, graphBytes, checked } = report
  const sections = [
    `${styled('bold', model)}: ${format}, lowered to ONNX in ${formatMs(performance.now() - start)}`,
    labelled([
      ['entry', entry],
      ['graph', formatBytes(graphBytes)],
      ['written to', output],
      ['checked', checked && `against fixed sizes: relative error ${checked.relativeError.toExponential(1)}`],
    ]),
    `${styled('bold', 'inputs')}\n${labelled(inputs.map(({ name, dtype, shape }) => [`  ${name}`, `${dtype ?? '?'} [${shape?.map((dim) => (dim === '' ? '?' : dim)).join(', ') ?? '…'}]`]))}`,
    `${styled('bold', 'outputs')}\n${labelled(outputs.map(({ name, dtype, shape }) => [`  ${name}`, `${dtype ?? '?'} [${shape?.map((dim) => (dim === '' ? '?' : dim)).join(', ') ?? '…'}]`]))}`,
    `${styled('bold', 'operators')}\n  ${ops.join(', ')}`,
    ...(prologue.length > 0 ? listed('computed in front of the graph', [prologue.join(', ')]) : []),
    ...listed('holds for requests where', guards),
    ...listed('taken for granted', assumptions),
    ...warnings.map((warning) => styled('yellow', `warning: ${warning}`)),
  ]
  print(sections.join('\n'))
  if (checked && !checked.agrees) {
    throw new EasError(
      'internal',
      `The model computes something else with free sizes: ${checked.output} differs by ${checked.relativeError.toExponential(1)}`,
    )
  }
}

const rethrownFor = (file: string) => (cause: unknown) => {
  throw fileError('write', file, cause)
}

const listed = (title: string, lines: readonly string[]) =>
  lines.length > 0 ? [`${styled('bold', title)}\n${lines.map((line) => `  ${line}`).join('\n')}`] : []

/** `name:dtype[size, …]`, a size being a number, a name, or a name and an example as `n:8`. */
function parseInput(text: string): ImportInput {
  const [, input, dtype = '', sizes = ''] = /^([^:[\]]+):([a-z0-9]+)\[([^\]]*)\]$/.exec(text.replaceAll(' ', '')) ?? []
  if (input === undefined) throw new InvalidArgumentError('It must look like x:float32[batch,3].')
  const parts = sizes === '' ? [] : sizes.split(',').map((part) => /^(?:(\d+)|([A-Za-z_]\w*)(?::(\d+))?)$/.exec(part))
  if (parts.includes(null)) throw new InvalidArgumentError('A size must be a number, a name, or name:number.')
  const shape = parts.map((part) => (part?.[1] === undefined ? (part?.[2] ?? '') : Number(part[1])))
  const example = parts.map((part) => Number(part?.[1] ?? part?.[3] ?? 3))
  return { input: /^\d+$/.test(input) ? Number(input) : input, dtype, shape, example }
}
