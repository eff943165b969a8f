import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { EasError, formatShape, oneLine } from '@eas/base'
import { createSession, describeModel, machineOf, settingsFromEnv, type ValueInfo } from '@eas/processor'
import { formatBytes, labelled, styled } from '../print.ts'
import type { Inspection } from './inspection.ts'
import { readOnnxHead } from './onnx-head.ts'

/** An ONNX model: opened as it would be to serve it, on the CPU. */
export async function inspectModel(file: string): Promise<Inspection> {
  const { size } = await stat(file)
  const head = await readOnnxHead(file)
  const session = await createSession(
    { onnx: file, isOptimised: false },
    { executionProviders: ['cpu'], intraOpNumThreads: 1 },
  ).catch((thrown) => {
    throw thrown instanceof EasError
      ? new EasError(thrown.code, `Cannot use ${file}: ${thrown.message}`, { cause: thrown })
      : thrown
  })
  const { inputs, outputs, warnings, loadMs } = session.info
  await session.release()

  const opsets = [...(head?.opsets ?? [])].map(([domain, version]) => `${oneLine(domain, 60)} ${version}`)
  const facts = labelled([
    ['size', formatBytes(size)],
    ['opset', opsets.length > 0 ? opsets.join(', ') : undefined],
    ['made by', head?.producer && oneLine(head.producer, 80)],
    ['loaded in', `${loadMs.toFixed(0)} ms`],
  ])
  const text = [
    `${styled('bold', file)}: ONNX model`,
    facts,
    `${styled('bold', 'inputs')}\n${values(inputs)}`,
    `${styled('bold', 'outputs')}\n${values(outputs)}`,
    ...warnings.map((warning) => styled('yellow', `warning: ${warning}`)),
  ]
  return {
    text: text.join('\n'),
    json: {
      file,
      kind: 'onnx',
      bytes: size,
      ir_version: head?.ir_version,
      opsets: head?.opsets,
      producer: head?.producer,
      inputs: inputs.map(plain),
      outputs: outputs.map(plain),
      warnings,
    },
  }
}

const formatNames = {
  onnx: 'ONNX model',
  torchscript: 'TorchScript archive',
  savedmodel: 'SavedModel',
  'frozen-graph': 'frozen graph',
} as const

/** A model that is lowered to ONNX when it is served: what it says of itself. */
export async function inspectLowered(file: string): Promise<Inspection> {
  const model = await describeModel(file, resolve('.'), machineOf(settingsFromEnv(process.env)))
  const { format, bytes, entries, inputs, outputs } = model
  const [first, ...others] = entries ?? []
  const text = [
    `${styled('bold', file)}: ${formatNames[format]}, which is lowered to ONNX when it is served`,
    labelled([
      ['size', formatBytes(bytes)],
      ['entry', first && oneLine(first, 80)],
      ['others', others.length > 0 ? oneLine(others.join(', '), 500) : undefined],
    ]),
    `${styled('bold', 'inputs')}\n${values(inputs)}`,
    ...(outputs.length > 0 ? [`${styled('bold', 'outputs')}\n${values(outputs)}`] : []),
    'eas import shows what becomes of it',
  ]
  return {
    text: text.join('\n'),
    json: { file, kind: format, bytes, entries, inputs: inputs.map(plain), outputs: outputs.map(plain) },
  }
}

/** A free dimension is shown by its symbol. */
const values = (infos: readonly ValueInfo[]) =>
  labelled(
    infos.map(({ name, dtype, shape }) => [
      `  ${oneLine(name, 80)}`,
      shape
        ? `${dtype} ${formatShape(shape.map((dim) => (dim === '' ? '?' : dim)))}`
        : dtype
          ? `${dtype}, a scalar or of any shape`
          : 'as a request has it',
    ]),
  )

const plain = ({ name, dtype, shape }: ValueInfo) => ({ name, dtype, shape: shape ?? null })
