"""Op-level cases: whole numbers of all widths to the digit, and the operators that recommenders and quantised models bring.

    python ops_whole.py golden/ops [family…]

Written with TensorFlow 2.21, as ops.py is.
"""

import sys

import numpy as np
import tensorflow as tf
from cases import B, F, I, S, Suite, V, v1

raw = tf.raw_ops
FAMILIES = {}


def family(build):
    FAMILIES[build.__name__] = build
    return build


# What doubles, floats and half of the bits cannot hold.
EDGES = {
    'int64': [2**53 + 1, -(2**53 + 1), -2**63, 2**63 - 1, 0, 1, -1, 2**31, 2**32 + 7, -2**40 - 3, 2**62 + 1, 7],
    'int32': [2**24 + 1, -(2**24 + 1), -2**31, 2**31 - 1, 0, 1, -1, 2**16, 70001, -46341, 2**30 + 1, 7],
    'int8': [-128, 127, 0, 1, -1, 11, 12, -12, 100, 64, -64, 7],
    'uint8': [0, 255, 1, 16, 128, 127, 200, 100, 2, 3, 254, 7],
    'uint32': [0, 2**32 - 1, 1, 2**31, 2**31 - 1, 2**24 + 1, 65536, 3, 2**16 + 1, 100, 10, 7],
    'uint64': [0, 2**64 - 1, 1, 2**63, 2**63 - 1, 2**53 + 1, 2**32, 3, 2**62 + 1, 100, 2**63 + 5, 7],
}


def edges(dtype, seed=0, divisors=False):
    """Rows of six of them."""
    values = np.array(EDGES[dtype], dtype=dtype)
    if divisors:
        values = np.where((values == 0) | (values == np.array(-1).astype(dtype)), np.array(3, dtype), values)
    rng = np.random.default_rng(len(dtype) + seed)
    return V([np.stack([rng.permutation(values)[:6] for _ in range(n)]) for n in (2, 5)], 'n', 6, dtype=dtype)



@family
def whole(s):
    ids = lambda: V([np.array([0, 2]), np.array([0, 0, 2, 2, 3])], 'n', dtype='int32')
    loose = lambda: V([np.array([3, -1]), np.array([2, 0, 2, -1, 3])], 'n', dtype='int32')
    sums = [tf.reduce_sum, tf.reduce_prod, tf.reduce_max, tf.reduce_min, tf.reduce_mean]
    segment = ('segment_sum', 'segment_prod', 'segment_max', 'segment_min', 'segment_mean')
    for t in EDGES:
        held = lambda v, t=t: tf.constant(np.array(v).astype(t))
        s.case(f'whole-reduce-{t}', lambda x: [f(x, axis, keep) for f in sums for axis, keep in ((None, False), (0, False), (1, True))], edges(t))
        s.case(f'whole-divide-{t}', lambda x, y: [x // y, x % y, raw.TruncateDiv(x=x, y=y)], edges(t), edges(t, 9, divisors=True))
        s.case(f'whole-compare-{t}', lambda x, y: [x < y, x >= y, tf.maximum(x, y), tf.minimum(x, y)], edges(t), edges(t, 9))
        s.case(f'whole-search-{t}', lambda x: [tf.argmax(x, 0), tf.argmin(x, 1), *tf.math.top_k(x, 3), tf.sort(x, 1), tf.searchsorted(tf.sort(x, 1), x), raw.NthElement(input=x, n=2)], edges(t))
        s.case(f'whole-running-{t}', lambda x: [tf.cumsum(x, 1), tf.math.cumprod(x, 1), tf.math.cumprod(x, 0), tf.math.cumprod(x, 0, exclusive=True, reverse=True)], edges(t))
        s.case(f'whole-segments-{t}', lambda x, i: [getattr(tf.math, op)(x, i) for op in segment], edges(t), ids())
        s.case(f'whole-loose-segments-{t}', lambda x, i: [getattr(tf.math, f'unsorted_{op}')(x, i, 5) for op in segment[:4]], edges(t), loose())
        s.case(f'whole-relu-{t}', lambda x: [tf.nn.relu(x), tf.nn.relu6(x)], edges(t))
        s.case(f'whole-one-hot-{t}', lambda x: tf.one_hot([1, 2, -1, 9], 4, on_value=x[0, 0], off_value=x[0, 1]), edges(t))
        first = EDGES[t][:6]
        s.case(f'whole-constants-{t}', lambda d, a=first, held=held, t=t: [
            held(a) * held(a), held(a) + held(a), *[f(held(a)) for f in sums], held(a) // tf.constant(7, t), tf.cast((tf.identity if t[0] == 'u' else tf.negative)(held(a)), tf.int64) + 1, d], F('n'))
    for t in ('int64', 'int32'):
        most = V([[[-2 ** (63 if t == 'int64' else 31), 5, -7]], [[9, -8, -2 ** (63 if t == 'int64' else 31)]]], 1, 3, dtype=t)
        s.case(f'whole-by-minus-one-{t}', lambda x, y: [x // y, x % y, raw.TruncateDiv(x=x, y=y)], most, V([[[-1, 2, -1]], [[1, 3, -1]]], 1, 3, dtype=t))
    s.case('whole-sparse-sum', lambda x: tf.sparse.reduce_sum(tf.SparseTensor([[0, 1], [0, 2], [2, 0]], x[0, :3], [3, 3]), 1), edges('int64'))
    s.case('whole-sparse-places', lambda x: tf.sparse.reorder(tf.SparseTensor(tf.cast(tf.nn.softmax(x) * 0, tf.int64)[:, None] + [[1, 2**61], [1, 2**53 + 1], [1, 2**53], [0, 5]], x, [2, 2**62])).values, F(4))
    s.case('whole-weighted-counts', lambda x: tf.math.bincount(tf.constant([0, 1, 1, 0, 2, 1]), weights=x[0], minlength=3, maxlength=3), edges('int64'))
    s.case('whole-masked-lengths', lambda x: [tf.reduce_sum(tf.cast(x, t), 1) for t in (tf.int32, tf.int64)], B('n', 5))
    s.case('product-of-doubles', lambda x: [tf.reduce_prod(x, 0), tf.reduce_prod(x, [0, 1], True), tf.reduce_prod(x[:, :3], 1)], F('n', 6, dtype='float64'), tolerance=1e-14)
    s.case('segments-of-halves', lambda x, i: [tf.math.segment_max(x, i), tf.math.unsorted_segment_max(x, i, 5), tf.tensor_scatter_nd_max(tf.zeros([5, 2], tf.float16), i[:, None], x)], F('n', 2, dtype='float16'), ids())


def texts(values):
    """More of them the second time."""
    return V([np.array([str(v) for v in values[:k]], dtype=object) for k in (3, len(values))], 'n', dtype='string')


def written(x):
    """Text that only the host can write, so that the host computes what is written."""
    return tf.strings.upper(tf.strings.as_string(x, precision=4 if x.dtype.is_floating else -1))


@family
def before(s):
    """Arithmetic in front of the session, on numbers that became text or are text."""
    of64 = lambda x: tf.strings.to_number(x, tf.int64)
    of32 = lambda x: tf.cast(of64(x), tf.int32)
    s.case('before-int64', lambda x: [written(f(of64(x))) for f in (
        lambda v: v + v, lambda v: v * v, lambda v: -v, tf.abs, tf.sign, tf.square, lambda v: v // -3, lambda v: v % -7, lambda v: raw.TruncateDiv(x=v, y=tf.constant(3, tf.int64)),
        tf.nn.relu, lambda v: tf.pow(v, 3), lambda v: tf.minimum(v, 2**53), lambda v: tf.cumsum(v, reverse=True), lambda v: v < 2**53)], texts(EDGES['int64']))
    s.case('before-int64-reduced', lambda x: [written(f(of64(x))) for f in (tf.reduce_sum, tf.reduce_prod, tf.reduce_max, tf.reduce_min, tf.reduce_mean)], texts(EDGES['int64']))
    s.case('before-int32', lambda x: [written(f(of32(x))) for f in (lambda v: v * 65537 + 2147483647, lambda v: v * v, tf.reduce_sum, tf.reduce_prod, lambda v: v // 3, lambda v: tf.cast(v, tf.int8) * tf.constant(5, tf.int8), lambda v: tf.cast(v, tf.uint8) + 200)], texts(EDGES['int64']))
    s.case('before-floats', lambda x: [written(f(tf.strings.to_number(x))) for f in (
        tf.floor, tf.math.ceil, tf.round, tf.math.rint, lambda v: tf.sqrt(tf.abs(v)), lambda v: tf.exp(tf.minimum(v, 2.0)), lambda v: tf.math.log1p(tf.minimum(tf.abs(v), 9.0)), lambda v: tf.math.log(tf.minimum(tf.abs(v), 9.0) + 1),
        tf.tanh, tf.sigmoid, tf.nn.relu, tf.sign, lambda v: tf.cast(v, tf.int32), lambda v: tf.cast(v, tf.int64), lambda v: tf.cast(v, tf.bool), lambda v: tf.cast(v, tf.float16), tf.reduce_mean,
        lambda v: tf.math.divide_no_nan(v, tf.round(v)), lambda v: raw.Div(x=v, y=v * v + 1))], texts([1.5, -2.5, 0.25, 3.5, -7.25, 123.75, 1e10, -0.125]))
    s.case('before-no-numbers', lambda x: [written(f(tf.strings.to_number(x))) for f in (tf.math.is_nan, tf.math.is_finite, lambda v: tf.cast(v, tf.bool), lambda v: tf.cast(v, tf.int32), lambda v: tf.cast(v, tf.int64))], texts(['nan', 'inf', 0.0, '-inf', 1e30]))


def none(*dims, dtype='float32'):
    """No rows, then two."""
    return V([np.ones([0, *dims]), np.arange(2 * np.prod(dims)).reshape([2, *dims]) / 7], 'n', *dims, dtype=dtype)


@family
def narrow(s):
    """Ranges of floats as whole numbers; what comes of no rows."""
    for mode in ('MIN_COMBINED', 'MIN_FIRST', 'SCALED'):
        for t in (tf.quint8, tf.qint8, tf.qint16):
            if t == tf.qint16 and mode != 'SCALED':
                continue
            def there_and_back(x, mode=mode, t=t):
                q, low, high = tf.quantization.quantize(x, -1.0, 1.5, t, mode=mode)
                return [tf.quantization.dequantize(q, low, high, mode=mode), low, high]
            s.case(f'quantize-{mode.lower()}-{t.name}', there_and_back, F('n', 5))
    s.case('quantize-of-nothing', lambda x: tf.quantization.quantize(x, 0.0, 0.0, tf.quint8, mode='MIN_FIRST')[1:], F('n', 5))
    s.case('fake-quant-of-nothing', lambda x: [tf.quantization.fake_quant_with_min_max_vars(x, 0.0, 0.0), tf.quantization.fake_quant_with_min_max_vars_per_channel(x, [0.0, -1.0, 0.0], [0.0, 1.0, 2.0])], F('n', 3))
    s.case('no-rows-resized', lambda x: [tf.image.resize(x, [5, 3], 'area'), tf.image.resize(x, [5, 3], 'lanczos3'), tf.image.resize(x, [2, 3], antialias=True)], none(4, 4, 1))
    s.case('no-rows-rolled', lambda x: [tf.roll(x, 1, 0), tf.signal.fftshift(x)], none(3))
    s.case('no-rows-joined', lambda x: [tf.strings.reduce_join(x), tf.strings.reduce_join(x, 0, separator=',')], V([np.zeros([0, 2], dtype=object), np.array([['a', 'b'], ['c', 'd']], dtype=object)], 'n', 2, dtype='string'))
    s.case('raw-halves', lambda x: tf.io.decode_raw(x, tf.float16), S('n', of=('abcdefgh', '12345678')))


@family
def wide_tables(s):
    """Ids that doubles do not hold, as keys and as values of tables."""
    ids = [2**60 + 1, 2**60 + 2, -2**63]
    table = lambda keys, values, otherwise: tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), otherwise)
    wide = lambda values: tf.constant(values, tf.int64)
    words = S('n', of=('a', 'b', 'zz'))
    asked = lambda: V([np.array([2**60 + 1, 2**60 + 2, 5]), np.array([-2**63, 2**60])], 'n', dtype='int64')
    s.case('table-of-wide-values', lambda x: table(['a', 'b'], wide(ids[:2]), wide(-1)).lookup(x), words)
    s.case('table-of-wide-keys', lambda x: [table(wide(ids), wide([1, 2, 3]), wide(-1)).lookup(x), table(wide(ids), ['p', 'q', 'r'], '').lookup(x), table(wide(ids), wide(ids[::-1]), wide(2**62 + 1)).lookup(x)], asked())
    s.case('table-to-a-wide-default', lambda x: table(['a'], wide([1]), wide(2**61 + 1)).lookup(x), words)


@family
def chance(s):
    """Random numbers whose answers are known: dropout that the request turns off, and what holds of all draws."""
    keep = lambda: V([1.0, 1.0], dtype='float32')
    s.case('dropout-turned-off', lambda x, k: [v1.nn.dropout(x, rate=1 - k), x / k * tf.floor(tf.random.uniform(tf.shape(x)) + k)], F('n', 5), keep())
    s.case('dropout-of-default', lambda x: v1.nn.dropout(x, rate=1 - v1.placeholder_with_default(1.0, [])), F('n', 5))
    s.case('uniform-draws', lambda x: [tf.reduce_all((u >= -1) & (u < 3)) for u in [tf.random.uniform([100], -1, 3, t) for t in (tf.float32, tf.float64, tf.float16)]] + [x], F('n'))
    s.case('normal-draws', lambda x: [tf.abs(tf.reduce_mean(z) - 5) < 1, tf.math.reduce_std(z) < 4, x] if (z := tf.random.normal([1000], 5.0, 2.0)) is not None else x, F('n'))


if __name__ == '__main__':
    for name in sys.argv[2:] or FAMILIES:
        suite = Suite(name)
        FAMILIES[name](suite)
        suite.write(sys.argv[1])
