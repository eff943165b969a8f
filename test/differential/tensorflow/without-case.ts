const noOutput = 'has no output that could be compared'
const refused = 'is refused, as refusals.test.ts says'
const older = 'TensorFlow 1 under an older name or with references; the lowering of the other is shared'

/** Operators that no recorded graph has, and why. */
export const withoutCase: Readonly<Record<string, string>> = {
  Assert: noOutput,
  ControlTrigger: noOutput,
  DisableCopyOnRead: noOutput,
  NoOp: noOutput,
  PrintV2: noOutput,
  TensorArrayCloseV3: noOutput,

  Placeholder: 'is fed, or refused',
  LoopCond: 'is evaluated with the Exit of its frame',
  NextIteration: 'is evaluated with the Exit of its frame',
  RefNextIteration: 'is evaluated with the Exit of its frame',
  IsVariableInitialized: older,
  MutableDenseHashTable: older,
  MutableDenseHashTableV2: 'differs from MutableHashTableV2 in how it stores, not in what is found',
  MutableHashTable: older,
  MutableHashTableOfTensors: older,
  RefEnter: older,
  RefExit: older,
  RefIdentity: older,
  RefMerge: older,
  RefSwitch: older,
  Variable: older,

  Assign: refused,
  AssignAdd: refused,
  AssignAddVariableOp: refused,
  AssignSub: refused,
  AssignSubVariableOp: refused,
  AssignVariableOp: refused,
  Multinomial: refused,
  RandomShuffle: refused,
  RandomStandardNormal: refused,
  RandomUniform: refused,
  RandomUniformInt: refused,
  ResourceScatterUpdate: refused,
  ScatterUpdate: refused,
  StatelessRandomNormalV2: refused,
  StatelessRandomUniformV2: refused,
  TruncatedNormal: refused,
}
