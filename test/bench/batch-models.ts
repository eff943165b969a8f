import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Constant, type Graph, type Node, onnxModel } from '../support/onnx.ts'

/** A model, the file of it, and what its input takes. */
export interface BatchModel {
  readonly name: string
  readonly input: { readonly name: string; readonly dtype: 'float32' | 'int64'; readonly width: number }
  readonly service: string
  readonly model: string
}

const floats = (length: number) => Float32Array.from({ length }, (_, i) => ((i * 2654435761) % 1000) / 20_000 - 0.025)
const weights = (name: string, from: number, to: number): Constant => ({
  name,
  dtype: 'float32',
  shape: [from, to],
  data: floats(from * to),
})

/** Layers of `widths`, with Relu between, of a tensor called `from`. */
function tower(from: string, widths: readonly number[], output: string): { nodes: Node[]; constants: Constant[] } {
  const nodes: Node[] = []
  const constants: Constant[] = []
  let at = from
  for (let i = 1; i < widths.length; i++) {
    const isLast = i === widths.length - 1
    constants.push(weights(`w${i}`, widths[i - 1] ?? 0, widths[i] ?? 0))
    nodes.push({ op: 'MatMul', inputs: [at, `w${i}`], outputs: [isLast ? output : `m${i}`] })
    if (!isLast) nodes.push({ op: 'Relu', inputs: [`m${i}`], outputs: [`r${i}`] })
    at = `r${i}`
  }
  return { nodes, constants }
}

const graphs: { readonly [name: string]: { readonly graph: Graph; readonly input: BatchModel['input'] } } = {
  /** Five layers of a thousand: 4 million multiplications a row, as of a small vision or ranking model. */
  dense: {
    input: { name: 'x', dtype: 'float32', width: 128 },
    graph: {
      inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 128] }],
      outputs: [{ name: 'scores', dtype: 'float32', shape: ['N', 8] }],
      ...tower('x', [128, 1024, 1024, 1024, 1024, 8], 'scores'),
    },
  },
  /** Twenty-six ids of ten thousand, 32 numbers each, and a tower above: the shape of DLRM on Criteo. */
  embedding: (() => {
    const { nodes, constants } = tower('flat', [26 * 32, 1024, 512, 256, 1], 'scores')
    return {
      input: { name: 'ids', dtype: 'int64', width: 26 },
      graph: {
        inputs: [{ name: 'ids', dtype: 'int64', shape: ['N', 26] }],
        outputs: [{ name: 'scores', dtype: 'float32', shape: ['N', 1] }],
        nodes: [
          { op: 'Gather', inputs: ['table', 'ids'], outputs: ['rows'] },
          { op: 'Reshape', inputs: ['rows', 'shape'], outputs: ['flat'] },
          ...nodes,
        ],
        constants: [
          weights('table', 10_000, 32),
          { name: 'shape', dtype: 'int64', shape: [2], data: BigInt64Array.of(-1n, BigInt(26 * 32)) },
          ...constants,
        ],
      },
    } as const
  })(),
  /** Next to nothing, so that reading and writing is all there is. */
  light: {
    input: { name: 'x', dtype: 'float32', width: 16 },
    graph: {
      inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 16] }],
      outputs: [{ name: 'scores', dtype: 'float32', shape: ['N', 1] }],
      ...tower('x', [16, 1], 'scores'),
    },
  },
}

/** Writes a model and a `service.json` for it. */
export function batchModel(folder: string, name: 'dense' | 'embedding' | 'light'): BatchModel {
  const { graph, input } = graphs[name] as (typeof graphs)[string] // one of them
  mkdirSync(folder, { recursive: true })
  const model = join(folder, `${name}.onnx`)
  const service = join(folder, `${name}.json`)
  writeFileSync(model, onnxModel(graph))
  const json = { name, processor: 'pytorch_cpu_1.10', model_path: `${name}.onnx`, metadata: { instance: 1 } }
  writeFileSync(service, JSON.stringify(json))
  return { name, input, service, model }
}
