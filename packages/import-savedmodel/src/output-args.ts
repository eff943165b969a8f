import type { Attrs, NodeDef } from './graph-def.ts'

/**
 * Names of the outputs of operators with more than one output argument, by which function bodies refer to them. A second
 * entry names the attribute that counts the outputs of the argument, `#` before it when it is the length of a list.
 * @see https://github.com/tensorflow/tensorflow/tree/v2.16.1/tensorflow/core/ops
 */
type Arg = string | readonly [name: string, count: string]
const outputArgs: Readonly<Record<string, readonly Arg[]>> = {
  BlockLSTM: ['i', 'cs', 'f', 'o', 'ci', 'co', 'h'],
  BlockLSTMV2: ['i', 'cs', 'f', 'o', 'ci', 'co', 'h'],
  ApproxTopK: ['values', 'indices'],
  CombinedNonMaxSuppression: ['nmsed_boxes', 'nmsed_scores', 'nmsed_classes', 'valid_detections'],
  FusedBatchNorm: ['y', 'batch_mean', 'batch_variance', 'reserve_space_1', 'reserve_space_2'],
  FusedBatchNormV2: ['y', 'batch_mean', 'batch_variance', 'reserve_space_1', 'reserve_space_2'],
  FusedBatchNormV3: ['y', 'batch_mean', 'batch_variance', 'reserve_space_1', 'reserve_space_2', 'reserve_space_3'],
  GRUBlockCell: ['r', 'u', 'c', 'h'],
  ListDiff: ['out', 'idx'],
  LSTMBlockCell: ['i', 'cs', 'f', 'o', 'ci', 'co', 'h'],
  MaxPoolWithArgmax: ['output', 'argmax'],
  Merge: ['output', 'value_index'],
  NonMaxSuppressionV4: ['selected_indices', 'valid_outputs'],
  NonMaxSuppressionV5: ['selected_indices', 'selected_scores', 'valid_outputs'],
  ParseExample: [
    ['sparse_indices', 'Nsparse'],
    ['sparse_values', 'Nsparse'],
    ['sparse_shapes', 'Nsparse'],
    ['dense_values', 'Ndense'],
  ],
  ParseExampleV2: [
    ['sparse_indices', 'num_sparse'],
    ['sparse_values', 'num_sparse'],
    ['sparse_shapes', 'num_sparse'],
    ['dense_values', '#Tdense'],
    ['ragged_values', '#ragged_value_types'],
    ['ragged_row_splits', '#ragged_split_types'],
  ],
  ParseSequenceExampleV2: [
    ['context_sparse_indices', '#context_sparse_types'],
    ['context_sparse_values', '#context_sparse_types'],
    ['context_sparse_shapes', '#context_sparse_types'],
    ['context_dense_values', '#Tcontext_dense'],
    ['context_ragged_values', '#context_ragged_value_types'],
    ['context_ragged_row_splits', '#context_ragged_split_types'],
    ['feature_list_sparse_indices', '#feature_list_sparse_types'],
    ['feature_list_sparse_values', '#feature_list_sparse_types'],
    ['feature_list_sparse_shapes', '#feature_list_sparse_types'],
    ['feature_list_dense_values', '#feature_list_dense_types'],
    ['feature_list_dense_lengths', '#feature_list_dense_types'],
    ['feature_list_ragged_values', '#feature_list_ragged_value_types'],
    ['feature_list_ragged_outer_splits', '#feature_list_ragged_split_types'],
    ['feature_list_ragged_inner_splits', '#feature_list_ragged_split_types'],
  ],
  ParseSingleExample: [
    ['sparse_indices', 'num_sparse'],
    ['sparse_values', 'num_sparse'],
    ['sparse_shapes', 'num_sparse'],
    ['dense_values', '#Tdense'],
  ],
  LookupTableExportV2: ['keys', 'values'],
  RaggedGather: [['output_nested_splits', 'OUTPUT_RAGGED_RANK'], 'output_dense_values'],
  RaggedRange: ['rt_nested_splits', 'rt_dense_values'],
  RaggedTensorToSparse: ['sparse_indices', 'sparse_values', 'sparse_dense_shape'],
  RefMerge: ['output', 'value_index'],
  RefSwitch: ['output_false', 'output_true'],
  SparseAdd: ['sum_indices', 'sum_values', 'sum_shape'],
  SparseConcat: ['output_indices', 'output_values', 'output_shape'],
  SparseCross: ['output_indices', 'output_values', 'output_shape'],
  SparseCrossHashed: ['output_indices', 'output_values', 'output_shape'],
  SparseCrossV2: ['output_indices', 'output_values', 'output_shape'],
  SparseFillEmptyRows: ['output_indices', 'output_values', 'empty_row_indicator', 'reverse_index_map'],
  SparseReorder: ['output_indices', 'output_values'],
  SparseReshape: ['output_indices', 'output_shape'],
  SparseSparseMaximum: ['output_indices', 'output_values'],
  SparseSparseMinimum: ['output_indices', 'output_values'],
  SparseSoftmaxCrossEntropyWithLogits: ['loss', 'backprop'],
  SoftmaxCrossEntropyWithLogits: ['loss', 'backprop'],
  SparseSlice: ['output_indices', 'output_values', 'output_shape'],
  SparseSplit: [
    ['output_indices', 'num_split'],
    ['output_values', 'num_split'],
    ['output_shape', 'num_split'],
  ],
  StringNGrams: ['ngrams', 'ngrams_splits'],
  StringSplit: ['indices', 'values', 'shape'],
  StringSplitV2: ['indices', 'values', 'shape'],
  Switch: ['output_false', 'output_true'],
  TensorArrayConcatV3: ['value', 'lengths'],
  TensorArrayV3: ['handle', 'flow'],
  TensorListConcat: ['tensor', 'lengths'],
  TensorListConcatV2: ['tensor', 'lengths'],
  TensorListPopBack: ['output_handle', 'tensor'],
  TopKV2: ['values', 'indices'],
  UnicodeDecode: ['row_splits', 'char_values'],
  UnicodeDecodeWithOffsets: ['row_splits', 'char_values', 'char_to_byte_starts'],
  Unique: ['y', 'idx'],
  UniqueV2: ['y', 'idx'],
  UniqueWithCounts: ['y', 'idx', 'count'],
  UniqueWithCountsV2: ['y', 'idx', 'count'],
}

/** Where among a node's outputs an output argument begins; operators with one argument need no row. */
export function outputIndex(node: NodeDef, arg: string): number {
  let index = 0
  for (const entry of outputArgs[node.op] ?? []) {
    const [name, count] = typeof entry === 'string' ? [entry, undefined] : entry
    if (name === arg) return index
    index += count === undefined ? 1 : countOf(node.attrs, count)
  }
  return 0
}

const countOf = (attrs: Attrs, count: string): number => {
  if (count.startsWith('#')) return attrs.dtypes(count.slice(1)).length
  return attrs.int(count, 0)
}
