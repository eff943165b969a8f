"""Op-level cases: every op the importer lowers, as TensorFlow itself computes it.

    python ops.py golden/ops [family…]

Written with TensorFlow 2.21. Each file holds GraphDefs, feeds of two sizes and what TensorFlow answered.
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


def const(*shape, seed=0, lo=-1.0, hi=1.0):
    return tf.constant(np.random.default_rng(seed).uniform(lo, hi, shape).astype(np.float32))


@family
def elementwise(s):
    two = (F('n', 3), F('n', 3))
    for name in ('Add', 'AddV2', 'Sub', 'Mul', 'Maximum', 'Minimum', 'SquaredDifference'):
        s.case(name, lambda x, y, op=name: getattr(raw, op)(x=x, y=y), *two)
        s.case(f'{name}-broadcast', lambda x, y, op=name: getattr(raw, op)(x=x, y=y), F('n', 1, 3), F('m', 1))
        s.case(f'{name}-int32', lambda x, y, op=name: getattr(raw, op)(x=x, y=y), I('n', 3, lo=-9, hi=9), I(3, lo=-9, hi=9))
        s.case(f'{name}-int64', lambda x, y, op=name: getattr(raw, op)(x=x, y=y), I('n', 3, lo=-9, hi=9, dtype='int64'), I(3, lo=-9, hi=9, dtype='int64'))
    for dtype in ('int8', 'uint8', 'int16', 'float64', 'float16', 'uint16'):
        make = (lambda *d, t=dtype: F(*d, dtype=t)) if dtype.startswith('f') else (lambda *d, t=dtype: I(*d, lo=1, hi=7, dtype=t))
        for name in ('Add', 'Mul', 'Sub', 'Maximum', 'Minimum', 'RealDiv', 'FloorDiv', 'FloorMod', 'Equal', 'Less', 'GreaterEqual'):
            s.case(f'{name}-{dtype}', lambda x, y, op=name: getattr(raw, op)(x=x, y=y), make('n', 4), make('n', 4))
    div = (F('n', 3, lo=0.5, hi=3), F('n', 3, lo=0.5, hi=2))
    for name in ('RealDiv', 'Div', 'DivNoNan', 'Xdivy', 'Xlogy', 'FloorDiv', 'FloorMod', 'Mod', 'Pow', 'Atan2', 'MulNoNan'):
        s.case(name, lambda x, y, op=name: getattr(raw, op)(x=x, y=y), *div)
    for name in ('FloorDiv', 'FloorMod', 'Mod', 'TruncateDiv', 'TruncateMod'):
        for dtype in ('int32', 'int64'):
            s.case(f'{name}-{dtype}', lambda x, y, op=name: getattr(raw, op)(x=x, y=y), I('n', 4, lo=-9, hi=9, dtype=dtype), V([[3, -4, 2, -7], [5, 1, -3, 2]], 4, dtype=dtype))
    s.case('FloorMod-negative', lambda x: raw.FloorMod(x=x, y=tf.constant([2.5, -1.5, 0.7])), F('n', 3, lo=-9, hi=9))
    s.case('FloorDiv-negative', lambda x: raw.FloorDiv(x=x, y=tf.constant([2.5, -1.5, 0.7])), F('n', 3, lo=-9, hi=9))
    s.case('DivNoNan-zero', lambda x: tf.math.divide_no_nan(x, tf.constant([0.0, 2.0, 0.0])), F('n', 3))
    s.case('MulNoNan-zero', lambda x: tf.math.multiply_no_nan(x, tf.constant([0.0, 2.0, 0.0])), V([[[np.inf, 1, 2]], [[np.nan, 1, np.inf]]], 'n', 3))
    s.case('Pow-int', lambda x: tf.pow(x, 3), I('n', lo=-4, hi=4))
    s.case('AddN', lambda x, y: tf.add_n([x, y, x]), *two)
    s.case('AddN-one', lambda x: raw.AddN(inputs=[x]), F('n'))
    s.case('AccumulateNV2', lambda x, y: raw.AccumulateNV2(inputs=[x, y], shape=[None, 3]), *two)
    unary = {'Neg': 0, 'Abs': 0, 'Sign': 0, 'Square': 0, 'Exp': 0, 'Expm1': 0, 'Sin': 0, 'Cos': 0, 'Tan': 0, 'Sinh': 0, 'Cosh': 0, 'Asinh': 0,
             'Atan': 0, 'Erf': 0, 'Erfc': 0, 'Floor': 0, 'Ceil': 0, 'Rint': 0, 'Round': 0, 'Sigmoid': 0, 'Tanh': 0, 'Relu': 0, 'Relu6': 0, 'Elu': 0,
             'Selu': 0, 'Softplus': 0, 'Softsign': 0, 'LeakyRelu': 0, 'Reciprocal': 1, 'Inv': 1, 'Sqrt': 1, 'Rsqrt': 1, 'Log': 1, 'Log1p': 1,
             'Acosh': 3, 'Asin': 2, 'Acos': 2, 'Atanh': 2, 'Lgamma': 1}
    for name, kind in unary.items():
        draw = [F('n', 5, lo=-4, hi=8), F('n', 5, lo=0.1, hi=4), F('n', 5, lo=-0.9, hi=0.9), F('n', 5, lo=1.1, hi=4)][kind]
        first = 'features' if name in ('Relu', 'Relu6', 'Elu', 'Selu', 'Softplus', 'Softsign', 'LeakyRelu') else 'x'
        s.case(name, lambda x, op=name, arg=first: getattr(raw, op)(**{arg: x}), draw)
    s.case('Ndtri-free-softplus-large', lambda x: tf.nn.softplus(x), F('n', 5, lo=-40, hi=40))
    s.case('Round-half', lambda x: tf.round(x), V([[0.5, 1.5, -0.5, 2.5], [-2.5, 3.5, 4.5, -1.5]], 4))
    s.case('Rint-half', lambda x: tf.math.rint(x), V([[0.5, 1.5, -0.5, 2.5], [-2.5, 3.5, 4.5, -1.5]], 4))
    for name in ('Neg', 'Abs', 'Sign', 'Square'):
        s.case(f'{name}-int32', lambda x, op=name: getattr(raw, op)(x=x), I('n', 5, lo=-5, hi=5))
        s.case(f'{name}-int64', lambda x, op=name: getattr(raw, op)(x=x), I('n', 5, lo=-5, hi=5, dtype='int64'))
    s.case('Relu-int32', lambda x: tf.nn.relu(x), I('n', 5, lo=-5, hi=5))
    s.case('Sqrt-float64', lambda x: tf.sqrt(x), F('n', 5, lo=0.1, hi=5, dtype='float64'))
    s.case('Exp-float64', lambda x: tf.exp(x) + tf.sin(x), F('n', 5, dtype='float64'))
    s.case('Erf-float64', lambda x: tf.math.erf(x), F('n', 5, dtype='float64'))
    s.case('Erfinv', lambda x: tf.math.erfinv(x), F('n', 5, lo=-0.8, hi=0.8))
    s.case('Digamma-free-Log-Sigmoid', lambda x: tf.math.log_sigmoid(x), F('n', 5, lo=-9, hi=9))
    s.case('LeakyRelu-alpha', lambda x: tf.nn.leaky_relu(x, 0.1), F('n', 5))
    s.case('IsNan', lambda x: [tf.math.is_nan(x), tf.math.is_inf(x), tf.math.is_finite(x)], V([[np.nan, np.inf, 1.0], [-np.inf, 0.0, np.nan]], 3))
    s.case('Softmax', lambda x: tf.nn.softmax(x), F('n', 3, 5))
    s.case('LogSoftmax', lambda x: tf.nn.log_softmax(x), F('n', 5))
    s.case('Softmax-axis', lambda x: tf.nn.softmax(x, axis=1), F('n', 3, 5))
    s.case('gelu', lambda x: [tf.nn.gelu(x), tf.nn.gelu(x, approximate=True), tf.nn.silu(x), x * tf.nn.relu6(x + 3) / 6], F('n', 5))
    s.case('prelu', lambda x: tf.nn.relu(x) + 0.2 * (x - tf.abs(x)) * 0.5, F('n', 5))
    s.case('ClipByValue', lambda x: [tf.clip_by_value(x, -1.0, 1.0), raw.ClipByValue(t=x, clip_value_min=-0.5, clip_value_max=1.0)], F('n', 5))
    s.case('clip_by_norm', lambda x: tf.clip_by_norm(x, 1.0, axes=[1]), F('n', 5))
    s.case('l2_normalize', lambda x: tf.math.l2_normalize(x, axis=-1), F('n', 5))
    s.case('BiasAdd', lambda x: tf.nn.bias_add(x, const(5)), F('n', 3, 5))
    s.case('BiasAddV1', lambda x: raw.BiasAddV1(value=x, bias=const(5)), F('n', 5))
    s.case('BiasAdd-NCHW', lambda x: raw.BiasAdd(value=x, bias=const(4), data_format='NCHW'), F('n', 4, 'h', 'w'))
    for name in ('Equal', 'NotEqual', 'Less', 'LessEqual', 'Greater', 'GreaterEqual'):
        s.case(name, lambda x, y, op=name: getattr(raw, op)(x=x, y=y), *two)
        s.case(f'{name}-int32', lambda x, y, op=name: getattr(raw, op)(x=x, y=y), I('n', 3), I('n', 1))
        s.case(f'{name}-int64', lambda x, y, op=name: getattr(raw, op)(x=x, y=y), I('n', 3, dtype='int64'), I(dtype='int64'))
    s.case('Equal-bool', lambda x, y: [tf.equal(x, y), tf.not_equal(x, y)], B('n', 3), B('n', 3))
    s.case('Logical', lambda x, y: [x & y, x | y, ~x, tf.math.logical_xor(x, y)], B('n', 3), B('n', 3))
    s.case('ApproximateEqual', lambda x: raw.ApproximateEqual(x=x, y=x + 1e-6, tolerance=1e-5), F('n', 3))
    s.case('Bitwise', lambda x, y: [tf.bitwise.bitwise_and(x, y), tf.bitwise.bitwise_or(x, y), tf.bitwise.bitwise_xor(x, y), tf.bitwise.invert(x), tf.bitwise.left_shift(x, 2), tf.bitwise.right_shift(x, 1)], I('n', lo=0, hi=99), I('n', lo=0, hi=99))
    s.case('Select', lambda c, x, y: raw.Select(condition=c, x=x, y=y), B('n', 3), *two)
    s.case('Select-rows', lambda c, x, y: raw.Select(condition=c, x=x, y=y), B('n'), F('n', 3, 2), F('n', 3, 2))
    s.case('Select-scalar', lambda c, x, y: raw.Select(condition=c, x=x, y=y), B(), *two)
    s.case('SelectV2', lambda c, x: tf.where(c, x, 0.0), B('n', 1), F('n', 3))
    s.case('SelectV2-int64', lambda c, x: tf.where(c, x, 7), B('n', 1), I('n', 3, dtype='int64'))
    s.case('SelectV2-bool', lambda c, x: tf.where(c, x, True), B('n', 1), B('n', 3))
    for src in ('float32', 'int32', 'int64', 'bool', 'uint8', 'float64', 'float16'):
        for dst in ('float32', 'int32', 'int64', 'bool', 'int8', 'uint8', 'float16', 'float64'):
            if src != dst:
                spec = B('n', 3) if src == 'bool' else (F('n', 3, lo=0, hi=90, dtype=src) if src.startswith('f') else I('n', 3, lo=0, hi=90, dtype=src))
                s.case(f'Cast-{src}-{dst}', lambda x, d=dst: tf.cast(x, d), spec)
    s.case('Cast-negative', lambda x: [tf.cast(x, tf.int32), tf.cast(x, tf.int64)], F('n', 4, lo=-90, hi=90))
    s.case('Cast-bfloat16', lambda x: tf.cast(tf.cast(x, tf.bfloat16), tf.float32), F('n', 4))
    s.case('FakeQuant', lambda x: [tf.quantization.fake_quant_with_min_max_args(x, -1, 1), tf.quantization.fake_quant_with_min_max_vars(x, -1.5, 1.0, num_bits=8), tf.quantization.fake_quant_with_min_max_vars_per_channel(x, [-1.0, -2.0, -0.5], [1.0, 1.0, 2.0])], F('n', 3))
    s.case('plumbing', lambda x: [tf.stop_gradient(x), tf.debugging.check_numerics(x, 'x'), raw.PreventGradient(input=x), raw.Snapshot(input=x), *tf.identity_n([x, x]), raw.EnsureShape(input=x, shape=[None, 3]), tf.grad_pass_through(tf.identity)(x)], F('n', 3))
    s.case('PlaceholderWithDefault', lambda x: v1.placeholder_with_default(tf.constant(2.0), [], name='keep') * x, F('n', 3))
    s.case('Assert', lambda x: [tf.identity(x) for _ in [0] if v1.Assert(tf.reduce_all(x < 100), [x]) is not None], F('n', 3))
    s.case('Nextafter-free-Polyval', lambda x: tf.math.polyval([1.0, -2.0, 0.5], x), F('n', 3))
    s.case('logsumexp', lambda x: tf.reduce_logsumexp(x, axis=1), F('n', 5))
    s.case('const-fold', lambda x: x * tf.cast(tf.constant(3) // tf.constant(2), tf.float32) + tf.reduce_sum(tf.constant([1.0, 2.0])), F('n'))


@family
def shape(s):
    x = F('n', 3, 4)
    s.case('Shape', lambda x: [tf.shape(x), tf.shape(x, out_type=tf.int64), tf.size(x), tf.rank(x), *raw.ShapeN(input=[x, x])], F('n', 'm', 4))
    s.case('Reshape', lambda x: [tf.reshape(x, [-1, 12]), tf.reshape(x, [-1]), tf.reshape(x, [-1, 2, 6, 1])], x)
    s.case('Reshape-dynamic', lambda x: tf.reshape(x, tf.stack([tf.shape(x)[0], tf.shape(x)[1] * 4])), F('n', 'm', 4))
    s.case('Reshape-prod', lambda x: tf.reshape(x, [tf.reduce_prod(tf.shape(x)[:-1]), tf.shape(x)[-1]]), F('n', 'm', 4))
    s.case('Reshape-concat', lambda x: tf.reshape(x, tf.concat([tf.shape(x)[:2], [2, 2]], 0)), F('n', 'm', 4))
    s.case('Reshape-half', lambda x: tf.reshape(x, [tf.shape(x)[0], tf.shape(x)[1] * tf.shape(x)[2] // 2, 2]), F('n', 'm', 4))
    s.case('Reshape-fed', lambda x, t: tf.reshape(x, t), F('n', 4), V([[4, 2], [5, 4]], 2, dtype='int32'))
    s.case('Reshape-int64', lambda x: tf.reshape(x, tf.constant([-1, 6], tf.int64)), x)
    s.case('Squeeze', lambda x: [tf.squeeze(x, [1]), tf.squeeze(x, [-1, 1])], F('n', 1, 4, 1))
    s.case('Squeeze-all', lambda x: tf.squeeze(x), F(3, 1, 4, 1))
    s.case('ExpandDims', lambda x: [tf.expand_dims(x, 0), tf.expand_dims(x, -1), tf.expand_dims(x, 2)], x)
    s.case('Transpose', lambda x: [tf.transpose(x), tf.transpose(x, [0, 2, 1]), tf.transpose(x, [2, 0, 1])], x)
    s.case('Transpose-int', lambda x: tf.transpose(x, [0, 2, 1]), I('n', 3, 4))
    s.case('ConcatV2', lambda x, y: [tf.concat([x, y], 0), tf.concat([x, y, x], -1)], F('n', 3), F('n', 3))
    s.case('Concat-v1', lambda x, y: raw.Concat(concat_dim=1, values=[x, y]), F('n', 3), F('n', 2))
    s.case('Concat-one', lambda x: raw.ConcatV2(values=[x, x], axis=1), I('n', 3, dtype='int64'))
    s.case('Split', lambda x: tf.split(x, 2, axis=2), x)
    s.case('Split-3', lambda x: tf.split(x, 3, axis=1), x)
    s.case('SplitV', lambda x: tf.split(x, [1, 3], axis=-1), x)
    s.case('SplitV-rest', lambda x: tf.split(x, [1, -1], axis=1), x)
    s.case('Pack', lambda x, y: [tf.stack([x, y]), tf.stack([x, y], axis=1), tf.stack([x, y], axis=-1)], F('n', 3), F('n', 3))
    s.case('Pack-scalars', lambda x: tf.stack([x[0], x[1] * 2, 3.0]), F('n'))
    s.case('Unpack', lambda x: tf.unstack(x, axis=1), x)
    s.case('Unpack-last', lambda x: tf.unstack(x, axis=-1), x)
    s.case('Slice', lambda x: [tf.slice(x, [0, 1, 1], [-1, 2, 2]), tf.slice(x, [1, 0, 0], [1, -1, 4])], x)
    s.case('Slice-dynamic', lambda x: tf.slice(x, [0, 0], [tf.shape(x)[0] - 1, -1]), F('n', 3))
    s.case('Slice-fed', lambda x, b: tf.slice(x, b, [1, 2]), F('n', 3), V([[0, 1], [1, 0]], 2, dtype='int32'))
    index = [lambda x: x[0], lambda x: x[:, 1], lambda x: x[..., -1], lambda x: x[1:, :2], lambda x: x[:, ::-1], lambda x: x[:, ::2, tf.newaxis],
             lambda x: x[-1:], lambda x: x[:, -2:, 1:3], lambda x: x[::-1, 0, ::3], lambda x: x[tf.newaxis, ..., 0], lambda x: x[:-1], lambda x: x[:, 2:0:-1],
             lambda x: x[:, :tf.shape(x)[1] - 1], lambda x: x[:, 1, 2], lambda x: x[:, 0:0], lambda x: x[:, 5:9], lambda x: x[:, -9:2]]
    for k, f in enumerate(index):
        s.case(f'StridedSlice-{k}', f, x)
    s.case('StridedSlice-free', lambda x: [x[:, -1, :], x[:, 1:], x[:, ::2], x[1:-1], x[-2:, -1], x[:, : tf.shape(x)[1] // 2]], F('n', 't', 4))
    s.case('StridedSlice-fed', lambda x, i: [x[:, i], x[i:], x[:, :i, 0]], x, V([1, 2], dtype='int32'))
    s.case('StridedSlice-int', lambda x: x[:, 1:], I('n', 4))
    s.case('StridedSlice-bool', lambda x: x[:, 1], B('n', 4))
    s.case('Gather', lambda x, i: [tf.gather(x, i), tf.gather(x, i, axis=1)], F(5, 5), I('n', 2))
    s.case('Gather-const', lambda i: tf.gather(const(5, 3), i), I('n', lo=0, hi=5, dtype='int64'))
    s.case('Gather-v1', lambda i: raw.Gather(params=const(5, 3), indices=i), I('n', lo=0, hi=5))
    s.case('Gather-batch', lambda x, i: tf.gather(x, i, batch_dims=1), F('n', 5, 3), I('n', 2))
    s.case('Gather-batch-axis', lambda x, i: tf.gather(x, i, batch_dims=1, axis=2), F('n', 2, 5), I('n', 2))
    s.case('Gather-batch2', lambda x, i: tf.gather(x, i, batch_dims=2), F('n', 'm', 5), I('n', 'm', 2))
    s.case('Gather-scalar', lambda x: tf.gather(x, 1, axis=1), x)
    s.case('GatherNd', lambda x, i: tf.gather_nd(x, i), F(4, 4, 2), I('n', 2, lo=0, hi=4))
    s.case('GatherNd-partial', lambda x, i: tf.gather_nd(x, i), F(4, 4, 2), I('n', 1, lo=0, hi=4, dtype='int64'))
    s.case('GatherNd-batch', lambda x, i: tf.gather_nd(x, i, batch_dims=1), F('n', 5, 3), I('n', 2, 1))
    s.case('ScatterNd', lambda i, u: tf.scatter_nd(i, u, [6, 2]), I('n', 1, lo=0, hi=6), F('n', 2))
    s.case('ScatterNd-dynamic', lambda x: tf.scatter_nd([[0], [1]], x[:2], tf.shape(x)), F('n', 2))
    s.case('TensorScatter', lambda x: [tf.tensor_scatter_nd_update(x, [[0], [1]], x[:2] * 2), tf.tensor_scatter_nd_add(x, [[0], [0]], x[:2]), tf.tensor_scatter_nd_sub(x, [[0], [0]], x[:2]), tf.tensor_scatter_nd_max(x, [[0]], x[1:2]), tf.tensor_scatter_nd_min(x, [[0]], x[1:2])], F('n', 2))
    s.case('Tile', lambda x: [tf.tile(x, [2, 1, 3]), tf.tile(x, [1, 1, 1])], x)
    s.case('Tile-dynamic', lambda x, y: tf.tile(x, tf.stack([tf.shape(y)[0], 1])), F(1, 3), F('n', 2))
    s.case('Tile-int', lambda x: tf.tile(x, [2, 1]), I('n', 3))
    s.case('Pad', lambda x: [tf.pad(x, [[0, 0], [1, 2], [0, 1]]), tf.pad(x, [[1, 0], [0, 0], [2, 0]], constant_values=3.0)], x)
    s.case('Pad-int', lambda x: tf.pad(x, [[0, 0], [1, 2]]), I('n', 3))
    s.case('Pad-int64', lambda x: tf.pad(x, [[0, 0], [1, 2]], constant_values=-1), I('n', 3, dtype='int64'))
    s.case('Pad-dynamic', lambda x: tf.pad(x, [[0, 8 - tf.shape(x)[0]], [0, 0]]), F('n', 3))
    s.case('Pad-bool', lambda x: tf.pad(x, [[0, 0], [1, 1]]), B('n', 3))
    s.case('MirrorPad', lambda x: [tf.pad(x, [[0, 0], [1, 1], [2, 1]], mode='REFLECT'), tf.pad(x, [[0, 0], [1, 0], [2, 1]], mode='SYMMETRIC')], x)
    s.case('Fill', lambda x: [tf.fill([tf.shape(x)[0], 2], 1.5), tf.zeros_like(x), tf.ones_like(x), tf.zeros([tf.shape(x)[0], 3], tf.int64)], F('n', 3))
    s.case('Fill-value', lambda x: tf.fill([2, 3], x[0]), F('n'))
    s.case('Fill-shape-only', lambda x: tf.fill(tf.shape(x), 2), F('n', 'm'))
    s.case('OnesLike-int', lambda x: [tf.ones_like(x), tf.zeros_like(x, tf.float32)], I('n', 3))
    s.case('Range', lambda x: [tf.range(tf.shape(x)[0]), tf.range(0, tf.shape(x)[0] * 2, 2), tf.range(5), tf.range(tf.shape(x)[0], 0, -1), tf.cast(tf.range(tf.shape(x)[0]), tf.float32) * 0.5], F('n', 3))
    s.case('Range-float', lambda x: tf.range(0.0, 2.0, 0.25) + x[0], F('n'))
    s.case('LinSpace', lambda x: tf.linspace(0.0, 1.0, 5) + x[0], F('n'))
    s.case('OneHot', lambda i: [tf.one_hot(i, 5), tf.one_hot(i, 5, on_value=2.0, off_value=-1.0, axis=0), tf.one_hot(i, 4, dtype=tf.int32), tf.one_hot(i, 5, on_value=True, off_value=False)], I('n', 3, lo=-1, hi=6))
    s.case('OneHot-int64', lambda i: tf.one_hot(i, 5), I('n', lo=0, hi=6, dtype='int64'))
    s.case('OneHot-middle', lambda i: tf.one_hot(i, 3, axis=1), I('n', 4, lo=0, hi=3))
    s.case('BroadcastTo', lambda x: [tf.broadcast_to(x, [4, 2, 3]), tf.broadcast_to(x[0], tf.shape(x))], F(2, 3))
    s.case('BroadcastTo-dynamic', lambda x, y: tf.broadcast_to(x, tf.stack([tf.shape(y)[0], 3])), F(1, 3), F('n', 2))
    s.case('BroadcastArgs', lambda x, y: tf.broadcast_to(x, tf.broadcast_dynamic_shape(tf.shape(x), tf.shape(y))), F('n', 1), F(1, 3))
    s.case('ReverseV2', lambda x: [tf.reverse(x, [1]), tf.reverse(x, [-1, 0])], x)
    s.case('Reverse-v1', lambda x: raw.Reverse(tensor=x, dims=[False, True, False]), x)
    s.case('ReverseSequence', lambda x, l: tf.reverse_sequence(x, l, seq_axis=1, batch_axis=0), F('n', 5, 2), I('n', lo=1, hi=5))
    s.case('ReverseSequence-time', lambda x, l: tf.reverse_sequence(x, l, seq_axis=0, batch_axis=1), F(5, 'n', 2), I('n', lo=1, hi=5, dtype='int64'))
    s.case('Roll', lambda x: [tf.roll(x, 1, 1), tf.roll(x, [1, -2], [0, 2])], x)
    s.case('InvertPermutation', lambda x: tf.transpose(x, tf.math.invert_permutation([2, 0, 1])), x)
    s.case('meshgrid', lambda x, y: tf.meshgrid(x, y), F('n'), F('m'))
    s.case('sequence_mask', lambda l: [tf.sequence_mask(l, 5), tf.sequence_mask(l, 5, tf.float32), tf.sequence_mask(l)], I('n', lo=1, hi=5))
    s.case('boolean_mask', lambda x, m: tf.boolean_mask(x, m), F('n', 3), V([[True, False], [False, True, True, False, True]], 'n', dtype='bool'))
    s.case('boolean_mask-2d', lambda x, m: tf.boolean_mask(x, m), F(3, 2), V([[[True, False]] * 3, [[False, True]] * 3], 3, 2, dtype='bool'))
    s.case('MatrixBandPart', lambda x: [tf.linalg.band_part(x, -1, 0), tf.linalg.band_part(x, 0, -1), tf.linalg.band_part(x, 1, 1)], F('n', 4, 4))
    s.case('causal-mask', lambda x: tf.linalg.band_part(tf.ones([tf.shape(x)[1], tf.shape(x)[1]]), -1, 0), F('n', 't'))
    s.case('MatrixDiag', lambda x: [tf.linalg.diag(x), tf.linalg.diag_part(tf.linalg.diag(x)), raw.MatrixDiag(diagonal=x), tf.linalg.set_diag(tf.linalg.diag(x), x * 2)], F('n', 3))
    s.case('DiagPart', lambda x: [tf.linalg.tensor_diag(x), tf.linalg.tensor_diag_part(tf.linalg.tensor_diag(x)), tf.eye(3) * x, tf.linalg.trace(tf.linalg.tensor_diag(x))], F(3))
    s.case('eye-dynamic', lambda x: tf.eye(tf.shape(x)[0]), F('n', 2))
    s.case('SpaceToBatch', lambda x: tf.space_to_batch(x, [2, 2], [[0, 0], [0, 0]]), F('n', 4, 6, 3))
    s.case('SpaceToBatch-pad', lambda x: tf.space_to_batch(x, [2, 3], [[1, 1], [0, 1]]), F('n', 4, 5, 3))
    s.case('SpaceToBatch-1d', lambda x: raw.SpaceToBatchND(input=x, block_shape=[2], paddings=[[1, 0]]), F('n', 5, 3))
    s.case('BatchToSpace', lambda x: tf.batch_to_space(tf.space_to_batch(x, [2, 2], [[0, 0], [1, 1]]), [2, 2], [[0, 0], [1, 1]]) * 2, F('n', 4, 6, 3))
    s.case('SpaceToDepth', lambda x: [tf.nn.space_to_depth(x, 2), tf.nn.depth_to_space(tf.nn.space_to_depth(x, 2), 2)], F('n', 4, 6, 3))
    s.case('DepthToSpace-NCHW', lambda x: tf.transpose(tf.nn.depth_to_space(tf.transpose(x, [0, 2, 3, 1]), 2), [0, 3, 1, 2]), F('n', 8, 2, 3))
    s.case('extract_patches', lambda x: tf.image.extract_patches(x, [1, 2, 2, 1], [1, 2, 2, 1], [1, 1, 1, 1], 'VALID'), F('n', 4, 6, 3))
    s.case('repeat', lambda x: [tf.repeat(x, 2, axis=1), tf.repeat(x, [1, 2, 0], axis=1)], F('n', 3))


@family
def reduce(s):
    x = F('n', 3, 4)
    for name in ('Sum', 'Mean', 'Max', 'Min', 'Prod', 'EuclideanNorm'):
        for keep in (False, True):
            s.case(f'{name}-{keep}', lambda x, op=name, k=keep: [getattr(raw, op)(input=x, axis=a, keep_dims=k) for a in ([1], [0, 2], [-1], [0, 1, 2], 1)], x)
    for name in ('Sum', 'Max', 'Min', 'Prod', 'Mean'):
        for dtype in ('int32', 'int64'):
            s.case(f'{name}-{dtype}', lambda x, op=name: getattr(raw, op)(input=x, axis=[1]), I('n', 4, lo=1, hi=5, dtype=dtype))
        s.case(f'{name}-float64', lambda x, op=name: getattr(raw, op)(input=x, axis=[1]), F('n', 4, dtype='float64'))
    s.case('Sum-none', lambda x: [tf.reduce_sum(x), raw.Sum(input=x, axis=tf.constant([], tf.int32))], x)
    s.case('Sum-uint8', lambda x: [tf.reduce_sum(tf.cast(x, tf.int32)), tf.reduce_max(x, axis=1)], I('n', 3, dtype='uint8'))
    s.case('All', lambda x: [tf.reduce_all(x, axis=1), tf.reduce_any(x, axis=1), tf.reduce_all(x), tf.reduce_any(x, axis=[0], keepdims=True)], B('n', 2))
    s.case('ArgMax', lambda x: [tf.argmax(x, axis=1), tf.argmin(x, axis=-1), tf.argmax(x, axis=0, output_type=tf.int32)], x)
    s.case('ArgMax-int', lambda x: tf.argmax(x, axis=1), I('n', 4))
    s.case('Cumsum', lambda x: [tf.cumsum(x, 1), tf.cumsum(x, 1, exclusive=True), tf.cumsum(x, -1, reverse=True), tf.cumsum(x, 0, exclusive=True, reverse=True)], x)
    s.case('Cumsum-int', lambda x: tf.cumsum(x, 1), I('n', 4))
    s.case('Cumprod', lambda x: tf.math.cumprod(x, 1), F('n', 4, lo=0.5, hi=1.5))
    s.case('moments', lambda x: tf.nn.moments(x, [1, 2]), x)
    s.case('reduce_std', lambda x: [tf.math.reduce_std(x, axis=1), tf.math.reduce_variance(x)], x)
    s.case('norm', lambda x: [tf.norm(x, axis=1), tf.norm(x, ord=1, axis=1)], x)
    s.case('TopKV2', lambda x: tf.nn.top_k(x, 2), F('n', 5))
    s.case('TopKV2-all', lambda x: tf.nn.top_k(x, tf.shape(x)[1]), F('n', 't'))
    s.case('TopKV2-int', lambda x: tf.nn.top_k(x, 2), V([[[3, 1, 9]], [[4, 7, 5], [8, 1, 2]]], 'n', 3, dtype='int32'))
    s.case('sort', lambda x: [tf.sort(x), tf.argsort(x, direction='DESCENDING')], F('n', 5))
    s.case('InTopK', lambda x, t: tf.math.in_top_k(t, x, 2), F('n', 5), I('n'))
    s.case('Where', lambda x: tf.where(x > 0), F('n', 3))
    s.case('Where-bool', lambda x: tf.where(x), B('n'))
    s.case('Where-int', lambda x: tf.where(x), I('n', 3, hi=2))
    s.case('Unique', lambda x: raw.Unique(x=x), I('n', lo=0, hi=3))
    s.case('Unique-int64', lambda x: tf.unique(x, out_idx=tf.int64), I('t', lo=0, hi=3, dtype='int64'))
    s.case('UniqueWithCounts', lambda x: tf.unique_with_counts(x), I('t', lo=0, hi=3))
    s.case('UniqueV2', lambda x: raw.UniqueV2(x=x, axis=tf.constant([0], tf.int64)), F('t'))
    s.case('Bincount', lambda x: [tf.math.bincount(x, minlength=6, maxlength=6), raw.Bincount(arr=x, size=6, weights=tf.constant([], tf.float32))], I('t', lo=0, hi=6))
    s.case('DenseBincount', lambda x: [raw.DenseBincount(input=x, size=6, weights=tf.constant([], tf.float32), binary_output=True), raw.DenseBincount(input=x, size=6, weights=tf.constant([], tf.float32))], I('n', 4, lo=0, hi=6, dtype='int64'))
    s.case('DenseBincount-weights', lambda x, w: raw.DenseBincount(input=x, size=6, weights=w), I('n', 4, lo=0, hi=6, dtype='int64'), F('n', 4))
    s.case('Bucketize', lambda x: raw.Bucketize(input=x, boundaries=[-1.0, 0.0, 0.5]), F('n', 3))
    s.case('Bucketize-int', lambda x: raw.Bucketize(input=x, boundaries=[1.0, 3.0]), I('n', 3))
    s.case('SearchSorted', lambda x: [tf.searchsorted([[-1.0, 0.0, 0.5]], x, side='left'), tf.searchsorted([[-1.0, 0.0, 0.5]], x, side='right')], F(1, 'n'))
    s.case('SearchSorted-batch', lambda a, x: tf.searchsorted(tf.sort(a), x), F('n', 4), F('n', 3))
    s.case('SegmentSum', lambda x: [tf.math.segment_sum(x, [0, 0, 1, 3]), tf.math.segment_mean(x, [0, 0, 1, 3]), tf.math.segment_max(x, [0, 0, 1, 2]), tf.math.segment_min(x, [0, 0, 1, 2]), tf.math.segment_prod(x, [0, 0, 1, 2])], F(4, 3))
    s.case('SegmentSum-fed', lambda x, i: [tf.math.segment_sum(x, tf.sort(i)), tf.math.segment_mean(x, tf.sort(i))], F('n', 3), I('n', lo=0, hi=3))
    s.case('UnsortedSegmentSum', lambda x, i: [tf.math.unsorted_segment_sum(x, i, 4), tf.math.unsorted_segment_mean(x, i, 4), tf.math.unsorted_segment_sqrt_n(x, i, 4)], F('n', 3), I('n', lo=-1, hi=4))
    s.case('UnsortedSegmentMax', lambda x: [tf.math.unsorted_segment_max(x, [0, 1, 0, 2], 3), tf.math.unsorted_segment_min(x, [0, 1, 0, 2], 3), tf.math.unsorted_segment_prod(x, [0, 1, 0, 2], 4)], F(4, 3))
    s.case('UnsortedSegmentSum-2d', lambda x, i: tf.math.unsorted_segment_sum(x, i, 4), F('n', 3, 2), I('n', 3, lo=0, hi=4))
    for name in ('sum', 'mean', 'sqrt_n'):
        s.case(f'SparseSegment-{name}', lambda x, i, op=name: [getattr(tf.sparse, f'segment_{op}')(x, i, tf.constant([0, 0, 2])), getattr(tf.sparse, f'segment_{op}')(x, i, tf.constant([0, 0, 2]), num_segments=4)], F(5, 2), I(3))
    s.case('DynamicPartition', lambda x, p: tf.dynamic_partition(x, p, 3), F('t', 2), I('t', lo=0, hi=3))
    s.case('DynamicStitch', lambda x: tf.dynamic_stitch([[0, 2], [1, 3]], [x[:2], x[2:]]), F(4, 2))
    s.case('DynamicStitch-partition', lambda x, p: tf.dynamic_stitch(tf.dynamic_partition(tf.range(tf.shape(x)[0]), p, 2), [a * 2.0 for a in tf.dynamic_partition(x, p, 2)]), F('t', 2), I('t', lo=0, hi=2))
    s.case('ListDiff', lambda x: tf.sets.difference and raw.ListDiff(x=x, y=[1, 3]), I('t', lo=0, hi=6))
    s.case('RandomShuffle-free-range', lambda x: tf.reduce_max(x) - tf.reduce_min(x), F('n'))


@family
def linalg(s):
    s.case('MatMul', lambda x: [tf.matmul(x, const(3, 4)), tf.matmul(x, const(4, 3), transpose_b=True)], F('n', 3))
    s.case('MatMul-ta', lambda x, y: tf.matmul(x, y, transpose_a=True), F('n', 3), F('n', 2))
    s.case('MatMul-tab', lambda x: tf.matmul(x, const(2, 4), transpose_a=True, transpose_b=True), F(4, 3))
    s.case('MatMul-float64', lambda x, y: tf.matmul(x, y), F('n', 3, dtype='float64'), F(3, 2, dtype='float64'))
    s.case('MatMul-int32', lambda x, y: tf.matmul(x, y), I('n', 3), I(3, 2))
    s.case('BatchMatMulV2', lambda x, y: [tf.matmul(x, y), tf.matmul(x, y, adjoint_b=True)], F('n', 3, 4, 4), F('n', 1, 4, 4))
    s.case('BatchMatMul', lambda x, y: raw.BatchMatMul(x=x, y=y, adj_x=True), F('n', 4, 3), F('n', 4, 2))
    s.case('BatchMatMulV3', lambda x, y: raw.BatchMatMulV3(x=x, y=y, Tout=tf.float32), F('n', 4, 3), F(3, 2))
    for k, (eq, a, b) in enumerate([('ij,jk->ik', (F('n', 3)), F(3, 2)), ('bid,bjd->bij', F('n', 3, 4), F('n', 2, 4)), ('abc,cde->abde', F('n', 't', 4), F(4, 2, 3)),
                                    ('abcd,cde->abe', F('n', 't', 2, 3), F(2, 3, 5)), ('aecd,abcd->acbe', F('n', 't', 2, 3), F('n', 'm', 2, 3)), ('acbe,aecd->abcd', F('n', 2, 'm', 't'), F('n', 't', 2, 3)), ('...x,xy->...y', F('n', 'm', 4), F(4, 2)), ('ij,ij->i', F('n', 3), F('n', 3))]):
        s.case(f'Einsum-{k}', lambda x, y, e=eq: tf.einsum(e, x, y), a, b)
    s.case('Einsum-one', lambda x: [tf.einsum('ij->ji', x), tf.einsum('ij->j', x)], F('n', 3))
    s.case('tensordot', lambda x: tf.tensordot(x, const(4, 2), axes=[[2], [0]]), F('n', 't', 4))
    s.case('Cross', lambda x, y: tf.linalg.cross(x, y), F('n', 3), F('n', 3))
    s.case('FusedMatMul', lambda x: raw._FusedMatMul(a=x, b=const(3, 4), args=[const(4)], fused_ops=['BiasAdd', 'Relu'], epsilon=0.0) if hasattr(raw, '_FusedMatMul') else tf.nn.relu(tf.matmul(x, const(3, 4)) + const(4)), F('n', 3))
    s.case('xw_plus_b', lambda x: v1.nn.xw_plus_b(x, const(3, 4), const(4)), F('n', 3))
    s.case('SparseTensorDenseMatMul', lambda y: tf.sparse.sparse_dense_matmul(tf.SparseTensor([[0, 1], [2, 0]], [1.0, 2.0], [3, 4]), y), F(4, 2))
    s.case('MatrixInverse', lambda x: tf.linalg.det(tf.eye(3) * 2.0) + x, F('n'))


@family
def conv(s):
    image = F('b', 6, 7, 3)
    free = F('b', 'h', 'w', 3)
    for pad in ('SAME', 'VALID'):
        for stride in (1, 2):
            s.case(f'Conv2D-{pad}-{stride}', lambda x, p=pad, t=stride: tf.nn.conv2d(x, const(3, 3, 3, 4), t, p), image)
            s.case(f'Conv2D-free-{pad}-{stride}', lambda x, p=pad, t=stride: tf.nn.conv2d(x, const(3, 2, 3, 4), t, p), free)
            s.case(f'Depthwise-{pad}-{stride}', lambda x, p=pad, t=stride: tf.nn.depthwise_conv2d(x, const(3, 3, 3, 2), [1, t, t, 1], p), image)
            s.case(f'MaxPool-{pad}-{stride}', lambda x, p=pad, t=stride: tf.nn.max_pool2d(x, 3, t, p), image)
            s.case(f'AvgPool-{pad}-{stride}', lambda x, p=pad, t=stride: tf.nn.avg_pool2d(x, 3, t, p), image)
            s.case(f'MaxPool-free-{pad}-{stride}', lambda x, p=pad, t=stride: [tf.nn.max_pool2d(x, 2, t, p), tf.nn.avg_pool2d(x, [2, 3], t, p)], free)
            s.case(f'Transpose-{pad}-{stride}', lambda x, p=pad, t=stride: tf.nn.conv2d_transpose(x, const(3, 3, 4, 3), [tf.shape(x)[0], 6 * t if p == 'SAME' else 5 * t + 3, 7 * t if p == 'SAME' else 6 * t + 3, 4], t, p), image)
    s.case('Transpose-free', lambda x: tf.nn.conv2d_transpose(x, const(3, 3, 4, 3), tf.stack([tf.shape(x)[0], tf.shape(x)[1] * 2, tf.shape(x)[2] * 2, 4]), 2, 'SAME'), free)
    s.case('Transpose-odd', lambda x: tf.nn.conv2d_transpose(x, const(2, 2, 4, 3), [tf.shape(x)[0], 11, 13, 4], 2, 'SAME'), image)
    s.case('Conv2D-group', lambda x: tf.nn.conv2d(x, const(3, 3, 2, 6), 1, 'SAME'), F('b', 6, 7, 4))
    s.case('Conv2D-dilated', lambda x: [tf.nn.conv2d(x, const(3, 3, 3, 4), 1, 'SAME', dilations=2), tf.nn.conv2d(x, const(3, 3, 3, 4), 1, 'VALID', dilations=2)], image)
    s.case('Conv2D-atrous', lambda x: tf.nn.atrous_conv2d(x, const(3, 3, 3, 4), 2, 'SAME'), image)
    s.case('Conv2D-explicit', lambda x: tf.nn.conv2d(x, const(3, 3, 3, 4), 2, [[0, 0], [1, 2], [0, 1], [0, 0]]), image)
    s.case('Conv2D-chain', lambda x: tf.nn.relu(tf.nn.conv2d(tf.nn.relu6(tf.nn.bias_add(tf.nn.conv2d(x, const(3, 3, 3, 4), 2, 'SAME'), const(4))), const(1, 1, 4, 5), 1, 'VALID') * const(5)), image)
    s.case('Conv2D-residual', lambda x: (lambda a: tf.reduce_mean(a + tf.nn.conv2d(a, const(3, 3, 4, 4), 1, 'SAME'), [1, 2]))(tf.nn.conv2d(x, const(3, 3, 3, 4), 2, 'SAME')), free)
    s.case('Conv2D-concat', lambda x: (lambda a: tf.concat([a, tf.nn.conv2d(a, const(3, 3, 4, 2), 1, 'SAME'), tf.pad(a, [[0, 0], [0, 0], [0, 0], [0, 1]])], 3))(tf.nn.conv2d(x, const(3, 3, 3, 4), 1, 'SAME')), image)
    s.case('Conv2D-pad', lambda x: tf.nn.conv2d(tf.pad(tf.nn.conv2d(x, const(1, 1, 3, 4), 1, 'SAME'), [[0, 0], [1, 1], [1, 1], [0, 0]]), const(3, 3, 4, 2), 2, 'VALID'), image)
    s.case('Conv2D-se', lambda x: (lambda a: a * tf.sigmoid(tf.nn.conv2d(tf.reduce_mean(a, [1, 2], keepdims=True), const(1, 1, 4, 4), 1, 'SAME')))(tf.nn.conv2d(x, const(3, 3, 3, 4), 1, 'SAME')), image)
    s.case('Conv2D-flatten', lambda x: tf.reshape(tf.nn.conv2d(x, const(3, 3, 3, 2), 2, 'SAME'), [-1, 24]), image)
    s.case('Conv2D-split', lambda x: (lambda a, b: [a * 2.0, tf.nn.max_pool2d(b, 2, 2, 'SAME')])(*tf.split(tf.nn.conv2d(x, const(3, 3, 3, 4), 2, 'SAME'), 2, 3)), image)
    s.case('Conv2D-spatial-bias', lambda x: tf.nn.conv2d(x, const(3, 3, 3, 4), 1, 'SAME') + const(6, 7, 1) * const(7, 4), image)
    s.case('Conv2D-reduce', lambda x: (lambda a: [tf.reduce_max(a, 3), tf.reduce_sum(a, [1]), tf.argmax(a, 3), tf.reduce_mean(a, -1, keepdims=True)])(tf.nn.conv2d(x, const(3, 3, 3, 4), 1, 'SAME')), image)
    s.case('Conv1D', lambda x: tf.nn.conv1d(x, const(3, 3, 4), 2, 'SAME'), F('n', 't', 3))
    s.case('Conv3D', lambda x: [tf.nn.conv3d(x, const(2, 3, 3, 3, 4), [1, 1, 2, 2, 1], 'SAME'), tf.nn.max_pool3d(x, 2, 2, 'SAME'), tf.nn.avg_pool3d(x, 2, 2, 'VALID')], F('n', 4, 5, 6, 3))
    s.case('Conv3DTranspose', lambda x: tf.nn.conv3d_transpose(x, const(2, 2, 2, 4, 3), [tf.shape(x)[0], 4, 6, 8, 4], 2, 'SAME'), F('n', 2, 3, 4, 3))
    s.case('Depthwise-dilated', lambda x: tf.nn.depthwise_conv2d(x, const(3, 3, 3, 1), [1, 1, 1, 1], 'SAME', dilations=[2, 2]), image)
    s.case('separable', lambda x: tf.nn.separable_conv2d(x, const(3, 3, 3, 2), const(1, 1, 6, 4), [1, 2, 2, 1], 'SAME'), image)
    s.case('MaxPoolV2', lambda x: raw.MaxPoolV2(input=x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME'), image)
    s.case('MaxPoolWithArgmax', lambda x: raw.MaxPoolWithArgmax(input=x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding='SAME')[0], image)
    s.case('FusedBatchNorm', lambda x: [raw.FusedBatchNormV3(x=x, scale=const(3), offset=const(3, seed=1), mean=const(3, seed=2), variance=const(3, seed=3, lo=0.5), is_training=False)[0],
                                        raw.FusedBatchNorm(x=x, scale=const(3), offset=const(3), mean=const(3), variance=const(3, lo=0.5), is_training=False, epsilon=1e-2)[0]], image)
    s.case('BatchNormWithGlobal', lambda x: tf.nn.batch_normalization(x, const(3), const(3, lo=0.5), const(3, seed=5), const(3, seed=6), 1e-3), image)
    s.case('LRN', lambda x: tf.nn.local_response_normalization(x, 2, 1.0, 0.1, 0.75), F('n', 4, 5, 8))
    for name in ('bilinear', 'nearest', 'bicubic'):
        if name != 'bicubic':
            for half, corners in ((False, False), (True, False), (False, True)):
                op = {'bilinear': raw.ResizeBilinear, 'nearest': raw.ResizeNearestNeighbor}[name]
                s.case(f'Resize-{name}-{half}-{corners}', lambda x, o=op, a=half, c=corners: [o(images=x, size=[16, 18], half_pixel_centers=a, align_corners=c), o(images=x, size=[5, 7], half_pixel_centers=a, align_corners=c)], image)
        s.case(f'image-resize-{name}', lambda x, m=name: tf.image.resize(x, [12, 20], m), image)
    s.case('Resize-free', lambda x: tf.image.resize(x, tf.shape(x)[1:3] * 2), free)
    s.case('Resize-uint8', lambda x: tf.image.resize(x, [6, 6]), I('n', 6, 7, 3, hi=255, dtype='uint8'))
    s.case('upsample', lambda x: raw.ResizeNearestNeighbor(images=x, size=[16, 18], half_pixel_centers=True), image)
    s.case('CropAndResize', lambda x: tf.image.crop_and_resize(x, [[0.1, 0.2, 0.8, 0.9], [-0.2, 0.0, 1.0, 1.3]], [0, 0], [4, 5]), image)
    s.case('NonMaxSuppression', lambda x: tf.image.non_max_suppression(tf.concat([x, x + 1.0], 1), tf.reduce_sum(x, 1), 3, 0.3), F('t', 2, lo=0, hi=3))
    s.case('NonMaxSuppressionV5-score', lambda x: tf.image.non_max_suppression_with_scores(tf.concat([x, x + 1.0], 1), tf.sigmoid(tf.reduce_sum(x, 1)), 4, 0.3, 0.5), F('t', 2, lo=0, hi=3))
    s.case('CombinedNonMaxSuppression', lambda x, p: tf.image.combined_non_max_suppression(tf.expand_dims(tf.concat([x, x + 0.3], 2), 2), p, 2, 3, 0.5, 0.1), F('n', 6, 2, lo=0, hi=0.6), F('n', 6, 2, lo=0, hi=1))
    s.case('rgb', lambda x: [tf.image.rgb_to_grayscale(x), tf.image.flip_left_right(x), tf.image.adjust_contrast(x, 0.5), tf.image.central_crop(x, 0.5), tf.image.per_image_standardization(x)], F('n', 8, 8, 3, lo=0, hi=1))
    s.case('cast-image', lambda x: tf.image.convert_image_dtype(x, tf.float32) * 2.0 - 1.0, I('n', 4, 4, 3, hi=255, dtype='uint8'))


@family
def control(s):
    def with_v1(build):
        def run(*a):
            v1.disable_control_flow_v2()
            try:
                return build(*a)
            finally:
                v1.enable_control_flow_v2()
        return run

    def both(name, build, *inputs):
        s.case(name, build, *inputs)
        s.case(f'{name}-v1', with_v1(build), *inputs)

    v1.enable_control_flow_v2()
    v1.enable_resource_variables()
    x = F('n', 3)
    both('cond', lambda x: tf.cond(tf.reduce_sum(x) > 0, lambda: x * 2.0, lambda: x - 1.0), x)
    both('cond-many', lambda x, c: tf.cond(c, lambda: (x * 2.0, tf.reduce_sum(x)), lambda: (x, tf.constant(1.0))), x, B())
    both('cond-capture', lambda x, c: tf.cond(c, lambda: tf.matmul(x, const(3, 2)), lambda: tf.zeros([tf.shape(x)[0], 2])), x, B())
    both('cond-shape', lambda x, c: tf.cond(c, lambda: x[:1], lambda: x), x, B())
    both('cond-nested', lambda x, c: tf.cond(c, lambda: tf.cond(x[0, 0] > 0, lambda: x, lambda: -x), lambda: x * 3.0), x, B())
    both('cond-training', lambda x: tf.cond(v1.placeholder_with_default(False, []), lambda: x * 100.0, lambda: x + 1.0), x)
    both('cond-and-after', lambda x, c: tf.cond(c, lambda: x * 2.0, lambda: x) + tf.cond(c, lambda: x, lambda: x * 5.0), x, B())
    both('case', lambda x, i: tf.switch_case(i, [lambda: x, lambda: x * 2.0, lambda: x * 3.0]), x, I(hi=3))
    both('while-count', lambda x: tf.while_loop(lambda i, a: i < 5, lambda i, a: (i + 1, a * 1.5 + x), [0, x])[1], x)
    both('while-data', lambda x: tf.while_loop(lambda a: tf.reduce_sum(a) < 50.0, lambda a: a * 2.0 + 1.0, [tf.abs(x)]), x)
    both('while-grow', lambda x: tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, tf.concat([a, a[:1]], 0)), [0, x], shape_invariants=[tf.TensorShape([]), tf.TensorShape([None, 3])])[1], x)
    both('while-nested', lambda x: tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, tf.while_loop(lambda j, b: j < i, lambda j, b: (j + 1, b + x), [0, a])[1]), [0, x])[1], x)
    both('while-cond', lambda x: tf.while_loop(lambda i, a: i < 4, lambda i, a: (i + 1, tf.cond(tf.equal(i % 2, 0), lambda: a * 2.0, lambda: a - x)), [0, x])[1], x)
    both('cond-while', lambda x, c: tf.cond(c, lambda: tf.while_loop(lambda i, a: i < 4, lambda i, a: (i + 1, a + x), [0, x])[1], lambda: x), x, B())
    both('map_fn', lambda x: tf.map_fn(lambda r: tf.reduce_sum(r * r), x), F('n', 4))
    both('map_fn-vector', lambda x: tf.map_fn(lambda r: tf.nn.softmax(r), x), F('n', 4))
    both('map_fn-two', lambda x, y: tf.map_fn(lambda r: r[0] * r[1], (x, y), fn_output_signature=tf.float32), F('n', 4), F('n', 4))
    both('map_fn-int', lambda x: tf.map_fn(lambda r: tf.cast(r, tf.int64) + 1, x, fn_output_signature=tf.int64), I('n'))
    both('scan', lambda x: tf.scan(lambda a, r: a * 0.5 + r, x), F('n', 4))
    both('foldl', lambda x: tf.foldl(lambda a, r: a * 0.5 + r, x), F('n', 4))

    def array(x):
        t = tf.TensorArray(tf.float32, size=4, element_shape=[None, 3], clear_after_read=False)
        t = tf.while_loop(lambda i, t: i < 4, lambda i, t: (i + 1, t.write(i, x * tf.cast(i, tf.float32))), [0, t])[1]
        return [t.stack(), t.read(2), t.concat()]

    both('TensorArray', array, x)

    def unstacked(x):
        t = tf.TensorArray(tf.float32, size=tf.shape(x)[0], clear_after_read=False).unstack(x)
        out = tf.TensorArray(tf.float32, size=tf.shape(x)[0])
        step = lambda i, a, o: (i + 1, a + t.read(i), o.write(i, a))
        _, a, out = tf.while_loop(lambda i, a, o: i < tf.shape(x)[0], step, [0, tf.zeros([3]), out])
        return [a, out.stack()]

    both('TensorArray-unstack', unstacked, x)

    def reverse(x):
        n = tf.shape(x)[0]
        out = tf.TensorArray(tf.float32, size=n, element_shape=[3])
        return tf.while_loop(lambda i, o: i < n, lambda i, o: (i + 1, o.write(n - 1 - i, x[i])), [0, out])[1].stack()

    both('TensorArray-backwards', reverse, x)

    def dynamic(x):
        out = tf.TensorArray(tf.float32, size=0, dynamic_size=True, element_shape=[3])
        return tf.while_loop(lambda i, o: i < 3, lambda i, o: (i + 1, o.write(i, x[0] * tf.cast(i, tf.float32))), [0, out])[1].stack()

    both('TensorArray-dynamic', dynamic, x)

    def split(x):
        t = tf.TensorArray(tf.float32, size=2, infer_shape=False, clear_after_read=False).split(x, [1, tf.shape(x)[0] - 1])
        return [t.read(0), t.read(1) * 2.0, t.concat(), t.size()]

    both('TensorArray-split', split, x)
    both('PartitionedCall', lambda x: tf.function(lambda a: a * 2.0 + tf.function(lambda b: tf.reduce_sum(b))(a))(x), x)
    both('vectorized_map', lambda x: tf.vectorized_map(lambda r: r * 2.0, x), x)
    import tf_keras
    cells = {'lstm': lambda: tf_keras.layers.LSTM(5, return_sequences=True), 'lstm-last': lambda: tf_keras.layers.LSTM(5), 'gru': lambda: tf_keras.layers.GRU(5), 'gru-before': lambda: tf_keras.layers.GRU(5, reset_after=False),
             'rnn': lambda: tf_keras.layers.SimpleRNN(5), 'lstm-backwards': lambda: tf_keras.layers.LSTM(5, go_backwards=True, return_sequences=True), 'bidirectional': lambda: tf_keras.layers.Bidirectional(tf_keras.layers.LSTM(4)),
             'unroll': lambda: tf_keras.layers.LSTM(5, unroll=True)}
    for name, make in cells.items():
        dims = ('n', 4, 3) if name == 'unroll' else ('n', 't', 3)
        s.case(f'keras-{name}', lambda x, m=make: m()(x), F(*dims), variables=True)
    s.case('keras-masked', lambda x: tf_keras.layers.LSTM(5)(x, mask=tf.reduce_sum(x, 2) > 0), F('n', 't', 3), variables=True)

    def cell(kind):
        from tf_keras.layers import GRUCell, LSTMCell
        return {'lstm': LSTMCell, 'gru': GRUCell}[kind](4)

    def raw_rnn(x, lengths):
        """What tf.nn.dynamic_rnn of TensorFlow 1 builds: a loop over time that holds finished rows still."""
        w, time = const(7, 4), tf.shape(x)[1]
        inputs = tf.TensorArray(tf.float32, size=time).unstack(tf.transpose(x, [1, 0, 2]))
        outputs = tf.TensorArray(tf.float32, size=time)

        def step(i, h, o):
            new = tf.tanh(tf.matmul(tf.concat([inputs.read(i), h], 1), w))
            done = i >= lengths
            return i + 1, tf.where(done[:, None], h, new), o.write(i, tf.where(done[:, None], tf.zeros_like(new), new))

        _, h, o = tf.while_loop(lambda i, *_: i < time, step, [0, tf.zeros([tf.shape(x)[0], 4]), outputs])
        return [tf.transpose(o.stack(), [1, 0, 2]), h]

    both('dynamic_rnn', raw_rnn, F('n', 't', 3), I('n', lo=1, hi=5))
    s.case('LSTMBlockCell', lambda x, h, c: list(raw.LSTMBlockCell(x=x, cs_prev=c, h_prev=h, w=const(7, 16), wci=tf.zeros([4]), wcf=tf.zeros([4]), wco=tf.zeros([4]), b=const(16), forget_bias=1.0, use_peephole=False))[1::5], F('n', 3), F('n', 4), F('n', 4))
    s.case('GRUBlockCell', lambda x, h: list(raw.GRUBlockCell(x=x, h_prev=h, w_ru=const(7, 8), w_c=const(7, 4), b_ru=const(8), b_c=const(4)))[3], F('n', 3), F('n', 4))
    s.case('BlockLSTM', lambda x: list(raw.BlockLSTM(seq_len_max=tf.cast(tf.shape(x)[0], tf.int64), x=x, cs_prev=tf.zeros([tf.shape(x)[1], 4]), h_prev=tf.zeros([tf.shape(x)[1], 4]), w=const(7, 16), wci=tf.zeros([4]), wcf=tf.zeros([4]), wco=tf.zeros([4]), b=const(16), forget_bias=1.0, use_peephole=False))[6], F('t', 'n', 3))


@family
def strings(s):
    words = ('a', 'bb', 'ccc', 'zz', '', 'ünï', 'The cat', '42')
    col = S('n', of=words)
    s.case('hash-fast', lambda x: [tf.strings.to_hash_bucket_fast(x, 1000), tf.strings.to_hash_bucket_fast(tf.strings.join([x, x, x, x, x], '/'), 99991), tf.strings.to_hash_bucket_fast(tf.strings.join([x] * 40, 'abc'), 2 ** 40)], col)
    s.case('hash-strong', lambda x: tf.strings.to_hash_bucket_strong(x, 1000, [1, 2]), col)
    s.case('hash-v1', lambda x: v1.string_to_hash_bucket(x, 1000), col)
    s.case('to_number', lambda x: [tf.strings.to_number(x), tf.strings.to_number(x, tf.float64)], S('n', of=('1', '-2.5', '3e4', ' 7 ', '.5')))
    s.case('to_number-int', lambda x: [tf.strings.to_number(x, tf.int64), tf.strings.to_number(x, tf.int32)], S('n', of=('1', '-2', '37')))
    s.case('as_string', lambda x, y: [tf.strings.as_string(x), tf.strings.as_string(y)], I('n', lo=-9, hi=99), I('n', lo=-9, hi=99, dtype='int64'))
    s.case('as_string-float', lambda x, y: [tf.strings.as_string(x), tf.strings.as_string(x, precision=2), tf.strings.as_string(x, scientific=True), tf.strings.as_string(x, shortest=True), tf.strings.as_string(y)], F('n', lo=-99, hi=99), B('n'))
    s.case('as_string-format', lambda x: [tf.strings.as_string(x, width=6), tf.strings.as_string(x, width=6, fill='0')], I('n', lo=-9, hi=99))
    s.case('join', lambda x: [tf.strings.join([x, 'const', x], '-'), tf.strings.reduce_join(x), tf.strings.reduce_join([x, x], axis=0, separator='_X_')], col)
    s.case('strip', lambda x: [tf.strings.strip(x), tf.strings.lower(x), tf.strings.upper(x), tf.strings.lower(x, encoding='utf-8'), tf.strings.length(x), tf.strings.length(x, unit='UTF8_CHAR')], S('n', of=('  Ab ', 'ÜX', 'q\n', '')))
    s.case('substr', lambda x: [tf.strings.substr(x, 0, 2), tf.strings.substr(x, -3, 2), tf.strings.substr(x, 1, 1, unit='UTF8_CHAR')], S('n', of=('abc', 'abcdef', 'xyzw')))
    s.case('regex', lambda x: [tf.strings.regex_replace(x, '[^a-z]', '_'), tf.strings.regex_replace(x, '(a)(b)', r'\2\1', replace_global=False), tf.strings.regex_full_match(x, 'a.*')], S('n', of=('abc', 'Xabab', 'yü')))
    s.case('equal', lambda x: [tf.equal(x, 'a'), tf.not_equal(x, ''), tf.where(tf.equal(x, ''), 'none', x)], col)
    s.case('split-v1', lambda x: (lambda t: [t.indices, t.values, t.dense_shape])(v1.string_split(x, ',')), S('n', of=('a,b', 'c', '', ',d,,e,')))
    s.case('split-v2', lambda x: (lambda t: [t.values, t.row_splits])(tf.strings.split(x, ',')), S('n', of=('a,b', 'c', '', ',d,,e,')))
    s.case('split-white', lambda x: (lambda t: [t.values, t.row_splits])(tf.strings.split(x)), S('n', of=(' a b', 'c', '', 'd   e ')))
    s.case('split-dense', lambda x: tf.sparse.to_dense(v1.string_split(x, '|'), default_value='pad'), S('n', of=('a|b', 'c', 'd|e|f')))
    s.case('split-number', lambda x: tf.reshape(tf.strings.to_number(tf.sparse.to_dense(v1.string_split(x, ','), default_value='0')), [-1, 3]), S('n', of=('1,2,3', '4,5,6')))
    s.case('unique', lambda x: tf.unique(x), col)
    s.case('decode', lambda x: [tf.io.decode_raw(x, tf.uint8), tf.io.decode_raw(x, tf.int16)], S('n', of=('abcd', 'wxyz')))
    s.case('base64', lambda x: [tf.io.encode_base64(x), tf.io.decode_base64(tf.io.encode_base64(x))], col)
    s.case('csv', lambda x: tf.io.decode_csv(x, [[0.0], [7], ['none'], tf.constant([], tf.int64)]), S('n', of=('1.5,2,a,4', ',,,5', '2,3,"q,""r",6')))
    s.case('unicode', lambda x: (lambda t: [t.values, t.row_splits])(tf.strings.unicode_decode(x, 'UTF-8')), col)
    s.case('table', lambda x: tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(['a', 'bb', 'ccc'], tf.constant([0, 1, 2], tf.int64)), -1).lookup(x), col)
    s.case('table-int', lambda x: tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(tf.constant([0, 1, 2], tf.int64), tf.constant([10, 20, 30], tf.int64)), -1).lookup(x), I('n', dtype='int64'))
    s.case('table-float', lambda x: tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(['a', 'bb'], [0.5, 1.5]), -1.0).lookup(x), col)
    s.case('table-string', lambda x: tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(tf.constant([0, 1, 2], tf.int64), ['x', 'y', 'z']), 'UNK').lookup(x), I('n', dtype='int64'))
    s.case('table-oov', lambda x: tf.lookup.StaticVocabularyTable(tf.lookup.KeyValueTensorInitializer(['a', 'bb', 'ccc'], tf.constant([0, 1, 2], tf.int64)), 3).lookup(x), col)
    s.case('table-int32', lambda x: tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer([0, 1, 2], [5, 6, 7]), -1).lookup(x), I('n'))
    s.case('labels', lambda x: tf.gather(tf.constant(['cat', 'dog', 'cow']), tf.argmax(x, 1)), F('n', 3))
    s.case('labels-tile', lambda x: [tf.tile(tf.constant([['cat', 'dog', 'cow']]), [tf.shape(x)[0], 1]), tf.strings.as_string(tf.argmax(x, 1))], F('n', 3))

    def sparse_column(x):
        sp = v1.string_split(x, ',')
        ids = tf.SparseTensor(sp.indices, tf.strings.to_hash_bucket_fast(sp.values, 10), sp.dense_shape)
        return tf.nn.safe_embedding_lookup_sparse([const(10, 4)], ids, combiner='mean')

    for combiner in ('mean', 'sum', 'sqrtn'):
        s.case(f'safe_embedding-{combiner}', lambda x, c=combiner: tf.nn.safe_embedding_lookup_sparse([const(10, 4)], (lambda sp: tf.SparseTensor(sp.indices, tf.strings.to_hash_bucket_fast(sp.values, 10), sp.dense_shape))(v1.string_split(x, ',')), combiner=c), S('n', of=('a,b', 'c', '', 'd,a,e')))
        s.case(f'embedding_sparse-{combiner}', lambda x, c=combiner: tf.nn.embedding_lookup_sparse(const(10, 4), (lambda sp: tf.SparseTensor(sp.indices, tf.strings.to_hash_bucket_fast(sp.values, 10), sp.dense_shape))(v1.string_split(x, ',')), None, combiner=c), S('n', of=('a,b', 'c', 'd,a,e')))
    s.case('safe_embedding-partitioned', lambda x: v1.nn.safe_embedding_lookup_sparse([const(5, 4), const(5, 4, seed=2)], (lambda sp: tf.SparseTensor(sp.indices, tf.strings.to_hash_bucket_fast(sp.values, 10), sp.dense_shape))(v1.string_split(x, ',')), combiner='sum', partition_strategy='div'), S('n', of=('a,b', 'c', '', 'd,a,e')))
    s.case('embedding-partitioned', lambda i: v1.nn.embedding_lookup([const(5, 4), const(5, 4, seed=2)], i, partition_strategy='mod'), I('n', hi=10))
    s.case('sparse-weights', lambda x: v1.nn.embedding_lookup_sparse(const(10, 4), (lambda sp: tf.SparseTensor(sp.indices, tf.strings.to_hash_bucket_fast(sp.values, 10), sp.dense_shape))(v1.string_split(x, ',')), (lambda sp: tf.SparseTensor(sp.indices, tf.cast(tf.strings.length(sp.values), tf.float32), sp.dense_shape))(v1.string_split(x, ',')), combiner='mean'), S('n', of=('aa,b', 'c', 'd,aaa,e')))
    s.case('sparse-ops', lambda x: (lambda sp: [tf.sparse.to_dense(tf.sparse.reshape(sp, [-1]), default_value='-'), tf.sparse.fill_empty_rows(sp, 'E')[0].values, tf.sparse.to_dense(tf.sparse.slice(sp, [0, 0], [1, 1]), default_value='-')])(v1.string_split(x, ',')), S('n', of=('a,b', 'c', '', 'd,a,e')))
    s.case('sparse-cross', lambda x: tf.sparse.to_dense(tf.sparse.cross_hashed([tf.strings.split(x, ',').to_sparse(), tf.reshape(x, [-1, 1])], num_buckets=100, hash_key=956888297470)), S('n', of=('a,b', 'c', 'd,a,e')))
    s.case('from_dense', lambda x: (lambda t: [t.indices, t.values])(tf.sparse.from_dense(x)), I('n', 3, hi=2))

    def parsed(x):
        out = tf.io.parse_example(x, {'a': tf.io.FixedLenFeature([2], tf.float32), 'b': tf.io.FixedLenFeature([], tf.int64, 7), 'c': tf.io.VarLenFeature(tf.string), 'd': tf.io.VarLenFeature(tf.int64), 's': tf.io.FixedLenFeature([1], tf.string, 'none')})
        return [out['a'], out['b'], out['c'].values, out['c'].indices, tf.sparse.to_dense(out['d']), out['s']]

    def example(a, b=None, c=(), d=(), text=None):
        feature = {'a': tf.train.Feature(float_list=tf.train.FloatList(value=a)), 'c': tf.train.Feature(bytes_list=tf.train.BytesList(value=c)), 'd': tf.train.Feature(int64_list=tf.train.Int64List(value=d))}
        if b is not None:
            feature['b'] = tf.train.Feature(int64_list=tf.train.Int64List(value=[b]))
        if text is not None:
            feature['s'] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[text]))
        return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()

    rows = [example([1.5, -2.0], 5, [b'x', b'y'], [1, 2, 3]), example([0.0, 9.0], None, [], [-4], b'z'), example([3.0, 4.0], -1, [b'q'])]
    s.case('parse_example', parsed, V([np.array(rows, dtype=object), np.array(rows[:1], dtype=object)], 'n', dtype='string'))
    s.case('parse_example-v1', lambda x: [v for v in v1.parse_example(x, {'a': v1.FixedLenFeature([2], tf.float32), 'b': v1.FixedLenFeature([1], tf.int64, 3)}).values()], V([np.array(rows, dtype=object), np.array(rows[:1], dtype=object)], 'n', dtype='string'))
    s.case('parse_single_example', lambda x: [v for v in tf.io.parse_single_example(x[0], {'a': tf.io.FixedLenFeature([2], tf.float32), 'b': tf.io.FixedLenFeature([1], tf.int64, 3)}).values()], V([np.array(rows, dtype=object), np.array(rows[:1], dtype=object)], 'n', dtype='string'))
    s.case('parse_example-sequence', lambda x: tf.io.parse_example(x, {'d': tf.io.FixedLenSequenceFeature([], tf.int64, allow_missing=True)})['d'], V([np.array(rows, dtype=object), np.array(rows[:1], dtype=object)], 'n', dtype='string'))


if __name__ == '__main__':
    import os
    wanted = sys.argv[2:] or list(FAMILIES)
    os.makedirs(sys.argv[1], exist_ok=True)
    for name in wanted:
        suite = Suite(name)
        FAMILIES[name](suite)
        suite.write(sys.argv[1])
