"""More op-level cases, written as ops.py writes its own: sparse and ragged data, text, sequence examples, and rarer operators.

    python ops_data.py golden/ops [family…]
"""

import os
import sys

import cases
import numpy as np
import tensorflow as tf
from cases import B, F, I, S, Suite, V
from ops import const, raw

FAMILIES = {}


def family(build):
    FAMILIES[build.__name__] = build
    return build


def sparse_of(x):
    return tf.sparse.from_dense(x)


FLOATS = V([[[1, 0, 2.0], [0, 0, 3]], [[0, 4, 0], [5, 0, 6.0]]], 2, 3)
WHOLES = V([[[1, 0, 2], [0, 0, 3]], [[0, 4, 0], [5, 0, 6]]], 2, 3, dtype='int64')
EMPTY_ROW = V([[[1, 0, -2.0], [0, 0, 0]], [[0, 0, 0], [-5, 0, -6.0]]], 2, 3)


@family
def sparse(s):
    """Sparse tensors that the graph computes: their values go through an operator that only the graph has."""

    def case(name, f, x=FLOATS):
        s.case(f'sparse-of-graph-{name}', lambda x: f(tf.sparse.map_values(tf.exp, sparse_of(x))), x)

    dense = tf.sparse.to_dense
    case('reduce-sum', lambda x: [tf.sparse.reduce_sum(x, 1), tf.sparse.reduce_sum(x), tf.sparse.reduce_sum(x, 0, keepdims=True)], EMPTY_ROW)
    s.case('sparse-reduce-max', lambda x: [tf.sparse.reduce_max(sparse_of(x), 1), tf.sparse.reduce_max(sparse_of(x), [0, 1]), tf.sparse.reduce_max(sparse_of(x), 0, keepdims=True)], EMPTY_ROW)
    case('add', lambda x: [dense(tf.sparse.add(x, tf.sparse.retain(x, x.values > 3.0))), tf.sparse.add(x, x).indices, tf.sparse.add(x, const(2, 3))])
    case('mul', lambda x: [dense(x * const(2, 3)), dense(x / 2.0), dense(x * const(3)), raw.SparseDenseCwiseAdd(sp_indices=x.indices, sp_values=x.values, sp_shape=x.dense_shape, dense=const(2, 1))])
    case('softmax', lambda x: tf.sparse.softmax(x).values)
    case('extremes', lambda x: [dense(tf.sparse.maximum(x, tf.sparse.reorder(x))), dense(tf.sparse.minimum(x, tf.sparse.retain(x, x.values < 10.0))), tf.sparse.maximum(x, tf.sparse.map_values(tf.negative, x)).values])
    case('split', lambda x: [dense(t) for t in [*tf.sparse.split(x, 3, 1), *tf.sparse.split(x, 2, 1)]])
    case('slice', lambda x: [dense(tf.sparse.slice(x, [0, 1], [2, 2])), dense(tf.sparse.slice(x, [1, 0], [5, 2]))])
    case('concat', lambda x: [dense(tf.sparse.concat(axis, [x, x])) for axis in (0, 1)] + [dense(tf.sparse.concat(0, [x, tf.sparse.slice(x, [0, 0], [2, 2])], expand_nonconcat_dims=True))])
    case('reorder', lambda x: dense(tf.sparse.transpose(x)))
    s.case('sparse-lookup', lambda x: [tf.nn.embedding_lookup_sparse(const(7, 4), sparse_of(x), None, combiner=c, allow_fast_lookup=True) for c in ('sum', 'mean', 'sqrtn')], WHOLES)
    s.case('sparse-lookup-norm', lambda x: tf.nn.embedding_lookup_sparse(const(7, 4), sparse_of(x), sparse_of(tf.cast(x, tf.float32) * 0.5), combiner='sqrtn', max_norm=0.5), WHOLES)


SPLITS = V([[0, 2, 3, 6], [0, 1, 3, 6]], 4, dtype='int64')
WITH_EMPTY = V([[0, 2, 2, 6], [0, 0, 3, 6]], 4, dtype='int64')
SIX = F(6)


@family
def ragged(s):
    """Ragged tensors that the graph computes."""

    def case(name, f, splits=WITH_EMPTY):
        s.case(f'ragged-of-graph-{name}', lambda v, r: f(tf.RaggedTensor.from_row_splits(tf.exp(v), r, validate=False)), SIX, splits)

    for name in ('sum', 'mean', 'max', 'min', 'prod'):
        case(name, lambda r, op=name: getattr(tf, f'reduce_{op}')(r, axis=1), SPLITS)
    case('tensor', lambda r: [r.to_tensor(), r.to_tensor(-1.0, shape=[None, 3]), r.to_tensor(shape=[4, None]), r.to_tensor(shape=[3, 1])])
    case('sparse', lambda r: [r.to_sparse().indices, r.to_sparse().values, r.to_sparse().dense_shape])
    case('gather', lambda r: [tf.gather(r, [2, 0, 0]).to_tensor(), tf.gather(r, [[1, 0], [2, 2]]).to_tensor()])
    case('concat', lambda r: [tf.concat([r, r], 1).to_tensor(), tf.concat([r, r], 0).to_tensor()])
    case('slice', lambda r: [r[:, :2].to_tensor(), r[1:].to_tensor(), r[:, -2:].to_tensor()])
    case('softmax', lambda r: (lambda e: (e / tf.expand_dims(tf.reduce_sum(e, 1), 1)).to_tensor())(tf.exp(r)), SPLITS)
    case('reverse', lambda r: tf.reverse(r, [1]).to_tensor())
    s.case('ragged-of-graph-range', lambda n, x: [tf.ragged.range(n, n * 2 + 1).to_tensor(), tf.ragged.range(x, x + 3.0, 0.75).to_tensor(), tf.ragged.range(n, -2, -2).to_tensor()], I('n', hi=5), F('n'))
    s.case('ragged-of-graph-nested', lambda x: [(lambda r: [r.to_tensor(), r.to_sparse().indices, tf.gather(r, [1, 0]).to_tensor(), r.to_tensor(shape=[2, 1, None])])(tf.RaggedTensor.from_nested_row_splits(tf.exp(x), [tf.constant([0, 1, 3], tf.int64), tf.constant([0, 2, 3, 6], tf.int64)]))][0], SIX)
    s.case('ragged-of-graph-rowids', lambda x, ids: raw.RaggedTensorToTensor(shape=tf.constant([-1, 2], tf.int64), values=x, default_value=0.5, row_partition_tensors=[tf.constant(5, tf.int64), ids], row_partition_types=['FIRST_DIM_SIZE', 'VALUE_ROWIDS']), F(6), V([[0, 0, 1, 3, 3, 3], [1, 2, 2, 2, 4, 4]], 6, dtype='int64'))
    s.case('ragged-of-graph-embedding', lambda x: tf.reduce_mean(tf.gather(const(20, 3), tf.RaggedTensor.from_tensor(x, padding=0)), axis=1), V([[[1, 2, 0], [3, 0, 0]], [[1, 0, 0], [2, 3, 4]]], 2, 3, dtype='int32'))


TIES = V([[0.0078125, -0.0, 0.125, 2.5, 3.5, 0.375, -1e-9, 1e20, 0.15, float('nan'), float('inf'), -float('inf'), 123456.789]] * 2, 13)
SMALL_TIES = V([[0.0078125, -0.0, 0.125, 2.5, -3.5, 0.375, -1e-9, 99999.99, 0.9999999, float('nan'), float('inf'), -float('inf'), 123456.789]] * 2, 13)


@family
def text(s):
    """Text: the limits of splitting, notations of numbers, and strings that the graph makes."""
    s.case('split-words', lambda x: [tf.strings.split(x, maxsplit=n).to_tensor('') for n in (0, 1, 2, 3)], S('n', of=('a b c d', '  a  b  c ', 'x', '')))
    s.case('split-at', lambda x: [tf.strings.split(x, '|', maxsplit=n).to_tensor('') for n in (0, 1, 2)], S('n', of=('a|b||d', 'x', '|')))
    s.case('number-text', lambda x: [tf.strings.as_string(x), tf.strings.as_string(x, precision=2), tf.strings.as_string(x, precision=0), tf.strings.as_string(x, shortest=True), tf.strings.as_string(x, scientific=True, precision=2)], TIES)
    # Multiplied by what only the graph reads, so that the text is the graph's to write.
    graph = lambda x: x * tf.sign(tf.exp(x))
    s.case('number-text-of-graph', lambda x: [tf.strings.as_string(tf.where(tf.math.is_nan(x), x, tf.math.floormod(graph(x), 8.0))), tf.strings.as_string(graph(x), precision=2), tf.strings.as_string(graph(x), precision=0)], V([[0.0078125, 0.125, 2.5, 3.5, -0.375, 99999.99, 0.9999999, 123456.789, -1.5]] * 2, 9))
    s.case('number-text-of-graph-special', lambda x: tf.strings.as_string(tf.nn.leaky_relu(x, 0.5)), SMALL_TIES)
    s.case('bool-text-of-graph', lambda x: tf.strings.as_string(tf.nn.relu(x) > 0.5), F('n', 3))
    s.case('joined-of-graph', lambda x: (lambda t: [tf.strings.reduce_join(t, axis=-1, separator=','), tf.strings.reduce_join(t, [2, 1], separator='/', keepdims=True), tf.strings.reduce_join(t, [1, 2]), tf.strings.join([t, '_', t], '+')])(tf.strings.as_string(tf.argsort(x))), F('n', 2, 5))
    s.case('joined-axes', lambda x: [tf.strings.reduce_join(x, [1, 2], separator='/'), tf.strings.reduce_join(x, [2, 1]), tf.strings.reduce_join(x, separator='-')], S('n', 2, 3))
    s.case('joined-ragged', lambda x: tf.strings.reduce_join(tf.strings.split(x), axis=1, separator='+'), S('n', of=('a b', 'c', 'd e f')))
    s.case('segment-join', lambda x: [tf.strings.unsorted_segment_join(x, tf.zeros_like(tf.strings.length(x)), 2, ','), tf.strings.unsorted_segment_join(tf.stack([x, x], 1), tf.strings.length(x) % 2, 2)], S('n'))
    s.case('added', lambda x, y: [x + y, 'k=' + x], S('n', 2), S(2))
    s.case('decode-errors', lambda x: [tf.strings.unicode_decode(x, 'UTF-8', errors='ignore').to_tensor(-1), tf.strings.unicode_decode(x, 'UTF-8', replacement_char=63, replace_control_characters=True).to_tensor(-1), tf.strings.unicode_decode_with_offsets(x, 'UTF-8')[1].to_tensor(-1)], S('n', of=(b'\xff\xe4a', 'ü\n長a', 'ok')))
    number = lambda x: tf.strings.as_string(x)
    s.case('host-more', lambda x: [number(-x), number(tf.abs(x)), number(raw.OnesLike(x=x) + x), number(tf.broadcast_to(x, [2, 3])), number(tf.abs(tf.cast(x, tf.int64)) * -tf.ones_like(tf.cast(x, tf.int64)))], F(3, lo=-5, hi=5))


def feature(values):
    kinds = {float: ('float_list', tf.train.FloatList), int: ('int64_list', tf.train.Int64List), str: ('bytes_list', tf.train.BytesList)}
    if not values:
        return tf.train.Feature()
    field, kind = kinds[type(values[0])]
    return tf.train.Feature(**{field: kind(value=[v.encode() if isinstance(v, str) else v for v in values])})


def sequence(i):
    lists = {'items': [[i + j] for j in range(i % 4)], 'vectors': [[1.0 * j, 0.5] for j in range(1 + i % 3)], 'words': [['a', 'b'][: 1 + j % 2] for j in range(i % 3)]}
    return tf.train.SequenceExample(
        context=tf.train.Features(feature={'user': feature([f'u{i}']), 'age': feature([i / 2]), 'tags': feature(['x', 'y'][: i % 3])}),
        feature_lists=tf.train.FeatureLists(feature_list={k: tf.train.FeatureList(feature=[feature(v) for v in steps]) for k, steps in lists.items()}),
    ).SerializeToString()


@family
def sequences(s):
    rows = [sequence(i) for i in range(6)]
    given = V([np.array(rows[:3], dtype=object), np.array(rows[2:], dtype=object)], 'n', dtype='string')

    def parsed(x):
        context = {'user': tf.io.FixedLenFeature([], tf.string), 'age': tf.io.FixedLenFeature([1], tf.float32), 'gone': tf.io.FixedLenFeature([], tf.int64, 7), 'tags': tf.io.VarLenFeature(tf.string)}
        lists = {'items': tf.io.FixedLenSequenceFeature([], tf.int64, True), 'vectors': tf.io.FixedLenSequenceFeature([2], tf.float32), 'none': tf.io.FixedLenSequenceFeature([], tf.string, True), 'words': tf.io.VarLenFeature(tf.string)}
        c, l, n = tf.io.parse_sequence_example(x, context, lists)
        return [c['user'], c['age'], c['gone'], tf.sparse.to_dense(c['tags']), l['items'], l['vectors'], l['none'], l['words'].indices, l['words'].values, l['words'].dense_shape, n['items'], n['vectors']]

    def ragged_parsed(x):
        c, l, _ = tf.io.parse_sequence_example(x, {'tags': tf.io.RaggedFeature(tf.string)}, {'items': tf.io.RaggedFeature(tf.int64, row_splits_dtype=tf.int64), 'vectors': tf.io.RaggedFeature(tf.float32)})
        return [c['tags'].to_tensor('-'), l['items'].to_tensor(), l['vectors'].to_tensor(-1.0)]

    s.case('ParseSequenceExampleV2', parsed, given)
    s.case('ParseSequenceExampleV2-ragged', ragged_parsed, given)


@family
def rarer(s):
    x = F('n', 6)
    s.case('NthElement', lambda x: [raw.NthElement(input=x, n=2), raw.NthElement(input=x, n=1, reverse=True)], x)
    s.case('ApproxTopK', lambda x: list(raw.ApproxTopK(input=x, k=2)), x)
    s.case('ScatterNdNonAliasingAdd', lambda x: raw.ScatterNdNonAliasingAdd(input=x, indices=[[0], [0]], updates=tf.ones([2, 6])), x)
    s.case('Inplace', lambda x: [op(x=raw.DeepCopy(x=x), i=[i % 2], v=tf.ones([1, 6])) for i, op in enumerate((raw.InplaceUpdate, raw.InplaceAdd, raw.InplaceSub))], x)
    s.case('UniqueV2-axis', lambda x: [*raw.UniqueV2(x=x, axis=[1]), *raw.UniqueWithCountsV2(x=x, axis=[0])], I('n', 4, hi=2))
    s.case('CumulativeLogsumexp', lambda x: [tf.math.cumulative_logsumexp(x, 1), tf.math.cumulative_logsumexp(x, 1, exclusive=True, reverse=True)], x)
    s.case('HistogramFixedWidth', lambda x: tf.histogram_fixed_width(x, [-1.0, 1.0], nbins=5), x)
    s.case('UnravelIndex', lambda i: tf.unravel_index(i, [4, 5]), I('n', hi=20))
    s.case('Diag-matrix', lambda x: [tf.linalg.tensor_diag(x), tf.linalg.tensor_diag_part(tf.linalg.tensor_diag(x) * 2.0)], F('n', 3))
    s.case('CrossEntropy', lambda x, l: [*raw.SparseSoftmaxCrossEntropyWithLogits(features=x, labels=l), *raw.SoftmaxCrossEntropyWithLogits(features=x, labels=tf.one_hot(l, 6))], x, I('n', hi=6))
    s.case('NonMaxSuppressionV5-hard', lambda b, c: list(tf.image.non_max_suppression_with_scores(b, c, 5, 0.5, 0.1)), V([np.array([[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, -0.1, 1, 0.9], [0, 10, 1, 11], [0, 10.1, 1, 11.1], [0, 100, 1, 101]], np.float32)] * 2, 6, 4), F(6, lo=0, hi=1))
    s.case('UnsortedSegment-of-known', lambda v, r: tf.math.unsorted_segment_sum(tf.ones([6]), tf.RaggedTensor.from_row_splits(v, r, validate=False).value_rowids(), 3), F(6), V([[0, 2, 3, 6], [0, 1, 3, 6]], 4, dtype='int64'))


@family
def media(s):
    """Images resized by weights, colours, spectrograms, and steps that quantise."""
    image = F('n', 7, 9, 3, lo=0, hi=255)
    for method in ('lanczos3', 'lanczos5', 'gaussian', 'mitchellcubic', 'bilinear', 'bicubic'):
        s.case(f'resize-{method}-antialiased', lambda x, m=method: [tf.image.resize(x, [4, 5], m, antialias=True), tf.image.resize(x, [15, 11], m, antialias=True)], image)
    s.case('resize-lanczos3', lambda x: [tf.image.resize(x, [4, 5], 'lanczos3'), tf.image.resize(x, tf.shape(x)[1:3] * 2, 'lanczos3')], F('n', 'h', 'w', 3))
    s.case('ScaleAndTranslate', lambda x: [raw.ScaleAndTranslate(images=x, size=[5, 6], scale=[0.7, 1.5], translation=[-1.0, 2.0], kernel_type=k, antialias=a) for k in ('box', 'triangle', 'keyscubic', 'lanczos1') for a in (False, True)], image)
    s.case('ResizeArea', lambda x: [raw.ResizeArea(images=x, size=[4, 5]), raw.ResizeArea(images=x, size=[14, 12]), raw.ResizeArea(images=x, size=[3, 3], align_corners=True)], image)
    s.case('ResizeArea-bytes', lambda x: raw.ResizeArea(images=x, size=[3, 4]), I('n', 7, 9, 3, lo=0, hi=255, dtype='uint8'))
    colours = F('n', 5, 4, 3, lo=0, hi=1)
    s.case('colours', lambda x: [tf.image.rgb_to_hsv(x), tf.image.hsv_to_rgb(x), tf.image.rgb_to_hsv(tf.round(x))], colours)
    s.case('colours-adjusted', lambda x: [tf.image.adjust_saturation(x, 1.5), tf.image.adjust_hue(x, 0.3), tf.image.adjust_hue(x, -0.8)], colours)
    sound = F('n', 48)
    s.case('stft', lambda x: (lambda z: [tf.abs(z), tf.math.real(z), tf.math.imag(z), tf.math.real(z * tf.math.conj(z))])(tf.signal.stft(x, 16, 8)), sound)
    s.case('stft-padded', lambda x: tf.square(tf.abs(tf.signal.stft(x, 12, 8, fft_length=32, pad_end=True))), sound)
    s.case('mfcc', lambda x: tf.signal.mfccs_from_log_mel_spectrograms(tf.math.log(tf.tensordot(tf.abs(tf.signal.stft(x, 16, 8)), tf.signal.linear_to_mel_weight_matrix(6, 9, 8000, 80.0, 3600.0), 1) + 1e-3)), sound)
    s.case('istft', lambda x: tf.signal.inverse_stft(tf.signal.stft(x, 16, 8) * tf.complex(0.5, 0.25), 16, 8), sound)
    s.case('rfft', lambda x: [*(lambda z: [tf.abs(z), tf.math.imag(z)])(tf.signal.rfft(x, [9])), tf.math.real(tf.signal.rfft(x, [32])), tf.signal.irfft(tf.signal.rfft(x), [15]), tf.signal.irfft(tf.signal.rfft(x), [20])], F('n', 16))
    s.case('rfft2d', lambda x: [tf.abs(tf.signal.rfft2d(x)), tf.signal.irfft2d(tf.signal.rfft2d(x) * 2.0)], F('n', 6, 8))
    pair = (F('n', 8), F('n', 8))
    parts = lambda z: [tf.math.real(z), tf.math.imag(z)]
    s.case('fft', lambda x, y: (lambda z: [*parts(tf.signal.fft(z)), *parts(tf.signal.ifft(z))])(tf.complex(x, y)), *pair)
    s.case('fft-2d', lambda x: [*parts(tf.signal.fft2d(tf.cast(x, tf.complex64))), *parts(tf.signal.ifft2d(tf.cast(x, tf.complex64)))], F('n', 4, 6))
    s.case('fft-3d', lambda x: [*parts(tf.signal.fft3d(tf.cast(x, tf.complex64))), *parts(tf.signal.ifft3d(tf.cast(x, tf.complex64)))], F('n', 2, 4, 3))
    s.case('complex', lambda x, y: (lambda z: [tf.abs(z * z + tf.math.conj(z)), tf.math.angle(z), *parts(z / tf.complex(2.0, 1.0)), *parts(tf.exp(z)), *parts(tf.reshape(z, [-1, 4])[:, 1:]), *parts(tf.reduce_sum(tf.square(z), 1) - z[:, 0]), *parts(tf.transpose(tf.concat([z, -z], 1), conjugate=True)), tf.cast(tf.shape(z), tf.float32)])(tf.complex(x, y)), *pair)
    s.case('complex-constants', lambda x: [*parts(tf.cast(x, tf.complex64) * tf.constant([1 + 2j, 0.5, -1j, 3 - 1j], tf.complex64)), *parts(tf.cast(x, tf.complex64) + tf.fill([4], tf.constant(2 - 3j, tf.complex64))), tf.cast(tf.cast(x, tf.complex128) * tf.constant(1 + 1j, tf.complex128), tf.float64)], F('n', 4))
    quantised = F('n', 6)
    s.case('QuantizeAndDequantize', lambda x: [raw.QuantizeAndDequantizeV2(input=x, input_min=-1.0, input_max=1.5, range_given=True), raw.QuantizeAndDequantizeV2(input=x, input_min=0.0, input_max=0.0), raw.QuantizeAndDequantizeV3(input=x, input_min=-1.0, input_max=1.0, num_bits=6), raw.QuantizeAndDequantizeV4(input=x, input_min=0.0, input_max=1.5, signed_input=False, num_bits=4, range_given=True, round_mode='HALF_UP'), raw.QuantizeAndDequantizeV4(input=x, input_min=-1.0, input_max=1.0, range_given=True, narrow_range=True)], quantised)
    pixels = F('n', 8, 10, 3)
    s.case('MaxPoolWithArgmax-index', lambda x: [*raw.MaxPoolWithArgmax(input=x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='VALID'), *raw.MaxPoolWithArgmax(input=x, ksize=[1, 3, 3, 1], strides=[1, 2, 2, 1], padding='SAME', include_batch_in_index=True)], pixels)


@family
def empty(s):
    """Batches of nothing, beside one of four."""
    sizes, cases.SIZES = cases.SIZES, ({'n': 0, 'm': 0}, {'n': 4, 'm': 2})
    case = lambda name, f, *inputs: s.case(f'empty-{name}', f, *inputs)
    rows = F('n', 5)
    table = lambda count, parts: [const(count // parts + (i < count % parts), 6, seed=i) for i in range(parts)]
    ids = lambda x, count: (lambda sp: tf.SparseTensor(sp.indices, tf.strings.to_hash_bucket_fast(sp.values, count), sp.dense_shape))(tf.compat.v1.string_split(x, '|'))
    case('top-k', lambda x: [*tf.math.top_k(x, 2), tf.sort(x), tf.argsort(x, direction='DESCENDING'), raw.NthElement(input=x, n=2)], rows)
    case('boxes', lambda b, q: list(tf.image.combined_non_max_suppression(tf.reshape(b, [-1, 6, 1, 4]), q, 3, 5)), F('n', 6, 4), F('n', 6, 2))
    for strategy in ('mod', 'div'):
        case(f'partitioned-{strategy}', lambda i, p=strategy: tf.compat.v1.nn.embedding_lookup(table(20, 3), i, partition_strategy=p), I('n', 'm', hi=20))
    case('bags', lambda x: tf.compat.v1.nn.safe_embedding_lookup_sparse(table(20, 3), ids(x, 20), combiner='mean'), S('n', of=('a|b', '', 'c')))
    case('sequence', lambda x, q: (lambda e: tf.nn.softmax(tf.reduce_sum(e * tf.tile(q[:, None], [1, tf.shape(e)[1], 1]), 2)))(tf.gather(const(9, 6), tf.sparse.to_dense(ids(x, 9)))), S('n', of=('a|b', 'c')), F('n', 6))
    case('reduced', lambda x: [tf.reduce_max(x, 1), tf.argmax(x, 1), tf.reduce_sum(x), tf.cumsum(x, 1), tf.where(x > 0.0), tf.matmul(x, x, transpose_b=True)], rows)
    case('einsum', lambda x: [tf.einsum('btnh,bsnh->bnts', x, x), tf.einsum('bnts,bsnh->btnh', tf.einsum('btnh,bsnh->bnts', x, x), x)], F('n', 3, 2, 4))
    case('host-ends', lambda x: tf.strings.as_string(tf.stack([tf.reduce_max(tf.strings.length(x)), tf.reduce_min(tf.strings.length(x))])), S('n'))
    case('host-ends-wide', lambda x: tf.strings.as_string(tf.stack([tf.reduce_max(x), tf.reduce_min(x)])), I('n', dtype='int64'))
    case('images', lambda x: [tf.nn.max_pool2d(x, 2, 2, 'SAME'), tf.image.resize(x, [4, 4]), tf.nn.depthwise_conv2d(x, tf.ones([3, 3, 3, 1]), [1, 1, 1, 1], 'SAME')], F('n', 8, 8, 3))
    case('strings', lambda x: [tf.strings.reduce_join(tf.stack([x, x], 1), 1), tf.strings.split(x).to_tensor(''), tf.strings.to_hash_bucket_fast(x, 9)], S('n', of=('a b', 'c')))
    cases.SIZES = sizes


if __name__ == '__main__':
    os.makedirs(sys.argv[1], exist_ok=True)
    for name in sys.argv[2:] or FAMILIES:
        suite = Suite(name)
        FAMILIES[name](suite)
        suite.write(sys.argv[1])
