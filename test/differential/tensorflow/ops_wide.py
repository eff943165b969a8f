"""Cases of operators as models of other makers use them, written as ops.py writes its own: linear equations, sets and counts,
labels of sequences, quantised weights, and sizes, types and signs that the other cases leave out.

    python ops_wide.py golden/ops [family…]
"""

import os
import sys

import cases
import numpy as np
import tensorflow as tf
from cases import B, F, I, S, Suite, V, v1
from ops import const, raw

FAMILIES = {}


def family(build):
    FAMILIES[build.__name__] = build
    return build


@family
def solve(s):
    """Linear equations."""
    la, x = tf.linalg, F('n', 4, 4)
    definite = lambda x: x @ tf.transpose(x, [0, 2, 1]) + tf.eye(4) * 2.0
    far = lambda x: x + 4 * tf.eye(4)
    s.case('solve-inverse', lambda x: [la.inv(far(x)), la.inv(far(x), adjoint=True)], x)
    s.case('solve-inverse-pivots', lambda x: la.inv(x), V([[[[0, 1, 2.0], [1, 0, 3], [4, -3, 8]]] * 2, [[[0, 2, 1.0], [1e-3, 0, 3], [4, -3, 8]]] * 5], 'n', 3, 3))
    s.case('solve-equations', lambda x, b: [la.solve(definite(x), b), la.solve(far(x), b, adjoint=True)], x, F('n', 4, 2))
    s.case('solve-equations-double', lambda x: la.solve(x + 4 * tf.eye(4, dtype=tf.float64), x), F('n', 4, 4, dtype='float64'))
    s.case('solve-triangular', lambda x, b: [la.triangular_solve(far(x), b, lower=l, adjoint=a) for l in (True, False) for a in (True, False)], x, F('n', 4, 2))
    s.case('solve-cholesky', lambda x: [la.cholesky(definite(x)), la.cholesky_solve(la.cholesky(definite(x)), x)], x)
    s.case('solve-log-determinant', lambda x: [*la.slogdet(x), la.logdet(definite(x))], x)
    s.case('solve-least-squares', lambda x, b: la.lstsq(x, b, fast=True, l2_regularizer=0.1), F('n', 6, 3), F('n', 6, 1))
    s.case('solve-tridiagonal-product', lambda x: la.tridiagonal_matmul(x[:, :3], x, diagonals_format='compact'), x)
    s.case('sparse-matmul-op', lambda x: tf.matmul(x[0], x[1], a_is_sparse=True, transpose_b=True), x)


@family
def sets(s):
    """Sets and counts, on the host."""
    dense = tf.sparse.to_dense
    s.case('set-dense', lambda x, y: [dense(tf.sets.intersection(x, y)), dense(tf.sets.union(x, y)), dense(tf.sets.difference(x, y)), dense(tf.sets.difference(x, y, False)), tf.sets.size(tf.sets.union(x, y))], I('n', 3), I('n', 4))
    s.case('set-of-words', lambda x: [tf.sets.size(tf.sets.intersection(tf.strings.split(x[:, 0]).to_sparse(), tf.strings.split(x[:, 1]).to_sparse())), tf.sets.intersection(x, tf.strings.split(x[:, 0]).to_sparse()).values], S('n', 2, of=('a bb c', 'bb', 'c a', '')))
    count = tf.sparse.bincount
    s.case('count-dense', lambda x: [dense(count(x, minlength=6)), dense(count(x, weights=tf.cast(x, tf.float32))), dense(count(x, binary_output=True)), dense(count(x, maxlength=3)), count(x, axis=None).values], I('n', 4))
    s.case('count-sparse', lambda x: dense(count(tf.sparse.from_dense(x), axis=-1)), I('n', 4))
    s.case('count-ragged', lambda x: dense(count(tf.RaggedTensor.from_tensor(x, padding=0), axis=-1, minlength=8)), I('n', 4))


@family
def labels(s):
    """Sequences of labels."""
    decoded = lambda r: [r[0][0].indices, r[0][0].values, r[0][0].dense_shape, r[1], tf.sparse.to_dense(r[0][0], -1)]
    s.case('ctc-greedy', lambda x: decoded(tf.nn.ctc_greedy_decoder(x, tf.fill([tf.shape(x)[1]], tf.shape(x)[0]))), F('t', 'n', 5))
    s.case('ctc-greedy-lengths', lambda x, n: decoded(tf.nn.ctc_greedy_decoder(x, n, merge_repeated=False, blank_index=0)), F(6, 'n', 5), I('n', lo=2, hi=7))


def doubled(x):
    return x * 2.0 + 1.0


def held(values, dtype):
    return tf.constant(np.array(values, dtype=dtype.as_numpy_dtype), dtype)


@family
def wide(s):
    """Signs, types and sizes that are met less often."""
    raws = lambda lo, hi, dtype: I('n', 5, lo=lo, hi=hi, dtype=dtype)
    for dtype in ('int8', 'int32', 'int64'):
        s.case(f'shift-negative-{dtype}', lambda x, y: [tf.bitwise.right_shift(x, y), tf.bitwise.left_shift(x, y)], raws(-100, 100, dtype), raws(0, 5, dtype))
    s.case('matmul-into-wider', lambda x, y: raw.BatchMatMulV3(x=x, y=y, Tout=tf.int32), I('n', 4, lo=-127, hi=127, dtype='int8'), V([np.full((4, 3), 120)] * 2, 4, 3, dtype='int8'))
    s.case('norm-of-batch', lambda x: v1.nn.fused_batch_norm(x, const(4), const(4), is_training=True)[:3], F('n', 3, 2, 4))
    s.case('slice-rest-beside-computed', lambda x: [tf.slice(x, tf.stack([0, tf.shape(x)[1] - 4, 1]), tf.stack([-1, tf.argmax(x[0, :, 0], output_type=tf.int32) * 0 + 3, -1])), tf.image.central_crop(x, 0.5)], F('n', 'h', 'w'))
    for dtype in ('int16', 'uint16', 'int8', 'bool'):
        s.case(f'pad-{dtype}', lambda x: tf.pad(x, [[0, 1], [2, 1]]), B('n', 5) if dtype == 'bool' else raws(0, 9, dtype))
    s.case('sort-int16', lambda x: tf.sort(x, 1), raws(-9, 9, 'int16'))
    s.case('pad-strings', lambda x: [tf.pad(x, [[0, 0], [1, 2]], constant_values='P'), tf.pad(x, [[1, 0], [0, 0]])], S('n', 3))
    s.case('substr-broadcast', lambda x, p: [tf.strings.substr(x, p, p), tf.strings.substr(x, [0, 1, 2], [1, 1, 3]), tf.strings.substr(x[:, :1], [0, 1, 2], [1, 1, 3])], S('n', 3, of=('abcdef', 'ghijklm')), I('n', 3, hi=3))
    s.case('decode-raw-orders', lambda x: [tf.io.decode_raw(x, t, little_endian=False) for t in (tf.float32, tf.int16, tf.int64)], S('n', of=('abcdefgh', '12345678')))
    s.case('atrous-free-size', lambda x: [tf.nn.atrous_conv2d(x, const(3, 3, 2, 3), 2, 'SAME'), tf.nn.convolution(x, const(3, 3, 2, 3), 1, 'VALID', dilations=3)], F('n', 'h', 'w', 2))
    s.case('roll-free-size', lambda x: [tf.signal.fftshift(x), tf.signal.ifftshift(x, 1)], F(5, 'w'))
    s.case('bfloat16-in-and-out', lambda x: [x * 1.5, tf.cast(x, tf.float32)], F('n', 5, dtype='bfloat16'))
    s.case('while-fixed-strides', lambda x: tf.while_loop(lambda i, step, a: i < 3, lambda i, step, a: (i + 1, step, a + tf.ensure_shape(tf.strided_slice(x, [0, 0], [2, 4], step), [2, 2])), [0, tf.constant([1, 2]), tf.zeros([2, 2])])[2], F(2, 4))
    s.case('guarantee-const', lambda x: x * raw.GuaranteeConst(input=const(5)), F('n', 5))
    s.case('batch-function', lambda x: tf.nondifferentiable_batch_function(1, 8, 0, allowed_batch_sizes=[8])(doubled)(x), F(8, 3))
    for dtype, mode in ((tf.quint8, 'MIN_COMBINED'), (tf.quint8, 'MIN_FIRST'), (tf.qint8, 'MIN_COMBINED'), (tf.qint8, 'SCALED'), (tf.quint16, 'MIN_FIRST')):
        values = [3, 0, 120, 7, 99] if dtype != tf.qint8 else [-128, 0, 127, 7, -99]
        s.case(f'dequantize-{dtype.name}-{mode.lower()}', lambda x: x + raw.Dequantize(input=held(values, dtype), min_range=-1.3, max_range=2.0, mode=mode), F('n', 5))


if __name__ == '__main__':
    for name in sys.argv[2:] or FAMILIES:
        suite = Suite(name)
        FAMILIES[name](suite)
        suite.write(sys.argv[1])
