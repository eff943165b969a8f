import { ImportRefusal } from '@eas/onnx'
import type { Lower, OpTable } from '../call.ts'
import { attentionOps } from './attention.ts'
import { complexLowerings, complexOps } from './complex.ts'
import { convOps } from './conv.ts'
import { elementwiseOps } from './elementwise.ts'
import { embeddingOps } from './embedding.ts'
import { fbgemmOps } from './fbgemm.ts'
import { gammaOps } from './gamma.ts'
import { indexOps } from './indexing.ts'
import { linearOps } from './linear.ts'
import { lossOps } from './losses.ts'
import { nnOps } from './nn.ts'
import { orderingOps } from './ordering.ts'
import { poolOps } from './pool.ts'
import { quantizedOps } from './quantized.ts'
import { randomOps } from './random.ts'
import { reduceOps } from './reduce.ts'
import { resizeOps } from './resize.ts'
import { rnnOps } from './rnn.ts'
import { samplingOps } from './sampling.ts'
import { scatterOps } from './scatter.ts'
import { searchingOps } from './searching.ts'
import { shapeOps } from './shape.ts'
import { specialOps } from './special.ts'
import { spectralOps } from './spectra.ts'
import { statisticsOps } from './statistics.ts'
import { viewOps } from './views.ts'
import { visionOps } from './vision.ts'
import { windowOps } from './windows.ts'

/** A table per family, by the name it has in the documentation. */
export const families: Readonly<Record<string, OpTable>> = {
  'Element by element': elementwiseOps,
  Reductions: reduceOps,
  Views: viewOps,
  'Shapes and factories': shapeOps,
  Indexing: indexOps,
  Scattering: scatterOps,
  'Order and sets': { ...orderingOps, ...searchingOps },
  'Linear algebra': linearOps,
  Convolution: convOps,
  Pooling: poolOps,
  'Activation and normalisation': nnOps,
  Attention: attentionOps,
  Embedding: embeddingOps,
  'Resizing and padding': resizeOps,
  Recurrent: rnnOps,
  Sampling: samplingOps,
  'Random numbers': randomOps,
  'Special functions': specialOps,
  'Gamma and error functions': gammaOps,
  Losses: lossOps,
  'Complex numbers': complexOps,
  'Fourier transforms': spectralOps,
  Statistics: statisticsOps,
  Vision: visionOps,
  Windows: windowOps,
  Quantised: quantizedOps,
  'Jagged tensors': fbgemmOps,
}

/** Every operator that is lowered, by name. */
export const lowerings: OpTable = join(Object.values(families))

/** Whether results of an operator lie in memory as its operands do. */
export const isElementwise = (name: string): boolean => Object.hasOwn(elementwiseOps, name) || activations.has(name)

const activations = new Set(
  'clone to type_as relu gelu silu sigmoid tanh elu leaky_relu hardtanh hardswish hardsigmoid mish softplus'.split(' '),
)

/** Operators that take complex tensors, which have ways of their own. */
export const complexTakers: OpTable = join([complexLowerings, spectralOps])

/** Operators that take quantised tensors as they are. */
export const quantisedLowerings: ReadonlySet<string> = new Set(Object.keys(quantizedOps))

function join(parts: readonly OpTable[]): OpTable {
  const all: Record<string, OpTable[string]> = Object.create(null)
  for (const part of parts) {
    for (const [name, lower] of Object.entries(part)) {
      if (name in all) throw new Error(`aten::${name} has two rows`)
      all[name] = advised(lower)
    }
  }
  return all
}

/** A refusal that does not say what to do is given what fits any operator. */
function advised(lower: Lower): Lower {
  return (c) => {
    try {
      return lower(c)
    } catch (error) {
      if (!(error instanceof ImportRefusal) || error.reasons.every(({ remedy }) => remedy !== '')) throw error
      throw new ImportRefusal(error.reasons.map((r) => (r.remedy === '' ? { ...r, remedy: anyAdvice } : r)))
    }
  }
}

const anyAdvice = 'Rewrite this part of the model with other operators or arguments'
