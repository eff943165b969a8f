import { refuse, type Value } from '@eas/onnx'
import { opaque, type TensorItem } from '../item.ts'
import type { Lowering, Op, OpTable } from '../op.ts'
import { resourceKey } from '../resources.ts'
import { gather, gatherNd } from './index-ops.ts'
import { normal, uniform } from './random.ts'

/** What passes things on, variables, calls. TF: core/ops/array_ops.cc, resource_variable_ops.cc, functional_ops.cc (2.16). */

const passOn: Lowering = (op) => op.inputs[0] ?? opaque
const nothing: Lowering = () => opaque

const placeholder: Lowering = (op) => {
  throw refuse('the placeholder is not fed', op.node.name, 'Name it as an input, or a signature that has it')
}

/** A handle; in TensorFlow 1 the reference is the value as well. */
const variable: Lowering = (op) => ({ kind: 'variable', key: resourceKey(op.node) })

/** The value of the variable that input `i` stands for. */
const read = (op: Op, i: number): TensorItem => op.e.variable(op.inputs[i], op.node.name)

const resourceGather: Lowering = (op) =>
  gather(op, read(op, 0).value, op.x(1), op.attr.int('batch_dims', 0), op.attr.int('batch_dims', 0))

const resourceGatherNd: Lowering = (op) => gatherNd(op, read(op, 0).value)

const call: Lowering = (op) => op.e.call(op.e.functionOf(op.attr.func('f'), op.node.name), op.inputs, op.frame)

/** State that lives from one request to the next cannot be kept. */
const state: Lowering = (op) => {
  throw refuse('the model changes its variables while it predicts', op.node.name, 'Export a signature that does not')
}

const chance: Lowering = (op) => {
  throw refuse('the output depends on random numbers', op.node.name, 'Export the model for inference')
}

/** A shape the value is known to have: sizes it did not have are taken from it. */
const ensureShape: Lowering = (op) => {
  const item = op.tensor(0)
  const shape = op.attr.shape('shape')
  if (!shape || shape.length !== item.shape.length || shape.every((d, i) => d < 0 || d === item.shape[i])) return item
  const { value } = item
  const known: Value = op.one(
    'Identity',
    [value],
    value.dtype,
    value.shape.map((d, i) => (typeof d === 'number' || (shape[i] ?? -1) < 0 ? d : (shape[i] ?? d))),
  )
  return known
}

export const plumbingOps: OpTable = {
  Placeholder: placeholder,
  PlaceholderWithDefault: passOn,
  Identity: (op) => (op.inputs[0]?.kind === 'variable' ? read(op, 0) : passOn(op)),
  RefIdentity: passOn,
  IdentityN: (op) => op.inputs,
  StopGradient: passOn,
  PreventGradient: passOn,
  Snapshot: passOn,
  GuaranteeConst: passOn,
  DeepCopy: passOn,
  CheckNumerics: passOn,
  CheckNumericsV2: passOn,
  DebugGradientIdentity: passOn,
  EnsureShape: ensureShape,
  ControlTrigger: nothing,
  NoOp: nothing,
  Assert: nothing,
  Print: passOn,
  PrintV2: nothing,
  Variable: variable,
  VariableV2: variable,
  VarHandleOp: variable,
  DisableCopyOnRead: nothing,
  ReadVariableOp: (op) => read(op, 0),
  VariableShape: (op) => ({
    dtype: op.dtype('out_type', 'int32'),
    shape: [read(op, 0).shape.length],
    elements: read(op, 0).shape,
  }),
  VarIsInitializedOp: () => ({ dtype: 'bool', shape: [], elements: [1] }),
  IsVariableInitialized: () => ({ dtype: 'bool', shape: [], elements: [1] }),
  ResourceGather: resourceGather,
  ResourceGatherNd: resourceGatherNd,
  PartitionedCall: call,
  BatchFunction: call,
  StatefulPartitionedCall: call,
  Assign: state,
  AssignAdd: state,
  AssignSub: state,
  AssignVariableOp: state,
  AssignAddVariableOp: state,
  AssignSubVariableOp: state,
  ScatterUpdate: state,
  ResourceScatterUpdate: state,
  RandomUniform: uniform,
  RandomStandardNormal: normal,
  RandomUniformInt: chance,
  TruncatedNormal: chance,
  Multinomial: chance,
  StatelessRandomUniformV2: chance,
  StatelessRandomNormalV2: chance,
  StatelessRandomUniform: chance,
  StatelessRandomUniformInt: chance,
  StatelessRandomUniformIntV2: chance,
  StatelessRandomNormal: chance,
  StatelessRandomGetKeyCounter: chance,
  StatelessTruncatedNormal: chance,
  StatelessTruncatedNormalV2: chance,
  StatelessMultinomial: chance,
  ParameterizedTruncatedNormal: chance,
  RandomGamma: chance,
  RandomPoissonV2: chance,
  StatefulUniform: chance,
  StatefulStandardNormalV2: chance,
  StatefulTruncatedNormal: chance,
  RandomShuffle: chance,
}
