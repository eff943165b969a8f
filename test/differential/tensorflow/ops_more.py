"""More op-level cases: rarer operators and forms, lists, what grappler fuses, and what the host computes for strings.

    python ops_more.py golden/ops [family…]

Written with TensorFlow 2.21, in the form of ops.py.
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


def made(op, inputs, dtypes, **attrs):
    """A node of an operator that Python has no function for."""
    values = {}
    for key, value in attrs.items():
        a = tf.compat.v1.AttrValue()
        if isinstance(value, bool):
            a.b = value
        elif isinstance(value, int):
            a.i = value
        elif isinstance(value, float):
            a.f = value
        elif isinstance(value, tf.DType):
            a.type = value.as_datatype_enum
        elif hasattr(value, 'add_to_graph'):
            value.add_to_graph(v1.get_default_graph())
            a.func.name = value.name.decode()
        elif isinstance(value, str):
            a.s = value.encode()
        elif value and isinstance(value[0], str):
            a.list.s.extend(v.encode() for v in value)
        elif value and hasattr(value[0], 'add_to_graph'):
            for function in value:
                function.add_to_graph(v1.get_default_graph())
                a.list.func.add(name=function.name.decode())
        elif value and isinstance(value[0], tf.DType):
            a.list.type.extend(v.as_datatype_enum for v in value)
        else:
            a.list.i.extend(value)
        values[key] = a
    flat = [t for i in inputs for t in (i if isinstance(i, list) else [i])]
    return list(v1.get_default_graph().create_op(op, flat, dtypes, attrs=values, name=op.strip('_')).outputs)


@family
def rare(s):
    x = F('n', 3)
    s.case('Xlog1py', lambda x, y: raw.Xlog1py(x=x, y=y), F('n', 3, lo=0, hi=2), F('n', 3, lo=0, hi=2))
    s.case('Print', lambda x: raw.Print(input=x, data=[], message='', first_n=0), x)
    s.case('CheckNumericsV2', lambda x: [raw.CheckNumericsV2(tensor=x, message=''), raw.DebugGradientIdentity(input=x), raw.ConjugateTranspose(x=x, perm=[1, 0])], x)
    s.case('Rank', lambda x: raw.Rank(input=x) + tf.shape(x)[0], x)
    s.case('ConcatOffset', lambda x, y: raw.ConcatOffset(concat_dim=1, shape=[tf.shape(x), tf.shape(y)]), x, F('n', 4))
    s.case('ParallelConcat', lambda x: raw.ParallelConcat(values=[x, x * 2.0], shape=[2, 3]), F(1, 3))
    s.case('Empty', lambda x: tf.shape(raw.Empty(shape=tf.shape(x), dtype=tf.float32)), x)
    s.case('LinSpace-op', lambda x: raw.LinSpace(start=x, stop=3.0, num=7), F())
    s.case('linspace-free', lambda x: tf.linspace(x, x + 1.0, 5), F())
    s.case('FusedBatchNormV2', lambda x: raw.FusedBatchNormV2(x=x, scale=const(3), offset=const(3, seed=1), mean=const(3, seed=2), variance=const(3, lo=0.5, hi=2.0), is_training=False)[0], F('n', 'h', 'w', 3))
    s.case('SpaceToBatch-v1', lambda x: raw.SpaceToBatch(input=x, paddings=[[0, 0], [0, 1]], block_size=2), F('n', 4, 5, 3))
    s.case('BatchToSpace-v1', lambda x: raw.BatchToSpace(input=tf.tile(x, [4, 1, 1, 1]), crops=[[0, 0], [0, 1]], block_size=2), F('n', 2, 3, 3))
    s.case('InTopK-v1', lambda x, t: [raw.InTopK(predictions=x, targets=t, k=2), tf.math.in_top_k(t, x, 1)], F('n', 5), I('n', hi=5))
    s.case('TopK-int16', lambda x: list(tf.math.top_k(x, 2, index_type=tf.int16)), F('n', 5))
    s.case('TopK-ties', lambda x: list(tf.math.top_k(x, 3)), V([[[1, 1, 0, 1], [0, 0, 0, 0]]] * 2, 2, 4))
    s.case('UniqueWithCountsV2', lambda x: list(raw.UniqueWithCountsV2(x=x, axis=[0])), I('n', hi=4))
    s.case('MatrixDiagPart', lambda x: [raw.MatrixDiagPart(input=x), raw.MatrixDiagPartV2(input=x, k=0, padding_value=0.0), raw.MatrixDiagV2(diagonal=x[:, 0], k=0, num_rows=-1, num_cols=-1, padding_value=0.0)], F('n', 3, 4))
    s.case('MatrixSetDiag', lambda x, d: [raw.MatrixSetDiag(input=x, diagonal=d), raw.MatrixSetDiagV2(input=x, diagonal=d, k=0)], F('n', 3, 3), F('n', 3))
    s.case('Bitcast', lambda x: raw.Bitcast(input=x, type=tf.float32), F('n', 3))
    boxes = V([[[0, 0, 1, 1], [0, 0, 0.9, 1], [2, 2, 3, 3], [0, 2, 1, 3]]] * 2, 4, 4)
    scores = V([[0.9, 0.8, 0.7, 0.3], [0.2, 0.8, 0.1, 0.9]], 4)
    s.case('NonMaxSuppression-v1', lambda b, c: raw.NonMaxSuppression(boxes=b, scores=c, max_output_size=3, iou_threshold=0.5), boxes, scores)
    s.case('NonMaxSuppressionV2', lambda b, c: raw.NonMaxSuppressionV2(boxes=b, scores=c, max_output_size=3, iou_threshold=0.5), boxes, scores)
    s.case('NonMaxSuppressionV4', lambda b, c: list(raw.NonMaxSuppressionV4(boxes=b, scores=c, max_output_size=3, iou_threshold=0.5, score_threshold=0.25, pad_to_max_output_size=True)), boxes, scores)
    s.case('BlockLSTMV2', lambda x: list(raw.BlockLSTMV2(seq_len_max=tf.cast(tf.shape(x)[0], tf.int64), x=x, cs_prev=tf.zeros([tf.shape(x)[1], 4]), h_prev=tf.zeros([tf.shape(x)[1], 4]), w=const(7, 16), wci=tf.zeros([4]), wcf=tf.zeros([4]), wco=tf.zeros([4]), b=const(16)))[6], F('t', 'n', 3))
    s.case('StridedSlice-empty', lambda x: [tf.reduce_sum(x[:0], 0), tf.concat([x[:0], x], 0), x[:, 3:], tf.reshape(x[:0], [-1, 3])], x)
    s.case('empty-gather', lambda x: [tf.gather(x, tf.zeros([0], tf.int32)), tf.math.segment_sum(x[:0], tf.zeros([0], tf.int32)), tf.reduce_max(tf.concat([x, x[:0]], 0))], x)
    s.case('empty-matmul', lambda x: [tf.matmul(x[:0], const(3, 2)), tf.matmul(x[:, :0], tf.zeros([0, 2]))], x)
    s.case('empty-mean', lambda x: tf.concat([tf.nn.softmax(x[:0]), tf.nn.relu(x)], 0), x)
    s.case('empty-boolean_mask', lambda x: tf.reduce_sum(tf.boolean_mask(x, x[:, 0] > 99.0), 0), x)
    s.case('scalar-ops', lambda x: [x * 2.0, tf.reshape(x, [1, 1]), tf.expand_dims(x, 0), tf.reduce_sum(x), tf.cast(x, tf.int32)], F())
    s.case('float64-model', lambda x: tf.nn.softmax(tf.nn.relu(tf.matmul(x, tf.constant(np.random.default_rng(1).normal(size=(3, 4))))) + 0.5), F('n', 3, dtype='float64'))
    s.case('int64-arith', lambda x: [(x * 3 - 7) // 2, x % 5, tf.maximum(x, 0), tf.reduce_sum(x, 1), tf.cumsum(x, 1), tf.abs(x), tf.sign(x)], I('n', 4, lo=-2 ** 33, hi=2 ** 33, dtype='int64'))
    s.case('uint8-image', lambda x: tf.cast(x, tf.float32) / 255.0 - 0.5, I('n', 4, 4, 3, hi=255, dtype='uint8'))
    s.case('half', lambda x: tf.cast(tf.nn.relu(tf.cast(x, tf.float16) * 2.0 + 1.0), tf.float32), x, tolerance=2e-3)
    s.case('argsort', lambda x: [tf.argsort(x), tf.sort(x), tf.argsort(x, direction='DESCENDING'), tf.sort(x, axis=0)], F('n', 5))
    s.case('sort-int', lambda x: tf.sort(x), I('n', 5, lo=-50, hi=50))
    s.case('nn-misc', lambda x: [tf.nn.moments(x, [1])[0], tf.nn.moments(x, [1], keepdims=True)[1], tf.nn.l2_loss(x), tf.nn.crelu(x), tf.nn.swish(x, 1.5), tf.math.reduce_std(x, 1), tf.math.reduce_variance(x, 1)], F('n', 5))
    s.case('normalize', lambda x: [tf.linalg.normalize(x, axis=1)[0], tf.norm(x, axis=1), tf.norm(x, ord=1, axis=1), tf.norm(x, ord=np.inf, axis=1)], F('n', 5))
    s.case('tensordot-more', lambda x: [tf.tensordot(x, const(4, 2), 1), tf.tensordot(x, const(3, 4, 2), [[1, 2], [0, 1]])], F('n', 3, 4))
    s.case('einsum-forms', lambda x, y: [tf.einsum('bij,bjk->bik', x, y), tf.einsum('bij,bjk->bki', x, y), tf.einsum('...ij->...ji', x), tf.einsum('bij->bi', x), tf.einsum('bij,bjk->b', x, y), tf.einsum('ijk,k->ij', x, const(4))], F('n', 3, 4), F('n', 4, 2))
    s.case('einsum-diagonal', lambda x: [tf.einsum('bii->bi', x), tf.einsum('bii->b', x)], F('n', 3, 3))
    s.case('count_nonzero', lambda x: [tf.math.count_nonzero(x, axis=1), tf.math.zero_fraction(x)], I('n', 4, hi=2, dtype='int32'))
    s.case('log_sigmoid', lambda x: [tf.math.log_sigmoid(x), tf.math.softplus(x)], F('n', 4))
    s.case('det', lambda x: tf.linalg.det(x + 2.0 * tf.eye(3)), F('n', 3, 3, lo=-0.5, hi=0.5))
    s.case('confusion', lambda x: tf.math.bincount(x, minlength=6, maxlength=6), I('n', hi=6))
    s.case('histogram', lambda x: [tf.histogram_fixed_width_bins(x, [0.0, 1.0], 5), tf.searchsorted([0.1, 0.5, 0.9], x, side='right')], F('n', lo=0, hi=1))
    s.case('nested-gather', lambda x, i: tf.gather_nd(x, tf.stack([tf.range(tf.shape(x)[0]), i], 1)), F('n', 5), I('n', hi=5))
    s.case('scatter-range', lambda x: tf.scatter_nd(tf.expand_dims(tf.range(tf.shape(x)[0]), 1), x, [9, 3]), x)
    s.case('image-ops', lambda x: [tf.image.flip_left_right(x), tf.image.flip_up_down(x), tf.image.rot90(x), tf.image.central_crop(x, 0.5), tf.image.rgb_to_grayscale(x), tf.image.crop_to_bounding_box(x, 1, 1, 4, 4), tf.image.pad_to_bounding_box(x, 1, 1, 12, 12), tf.image.transpose(x)], F('n', 8, 8, 3, lo=0, hi=1))
    s.case('image-adjust', lambda x: [tf.image.adjust_brightness(x, 0.1), tf.image.adjust_contrast(x, 1.5), tf.image.per_image_standardization(x)], F('n', 6, 6, 3, lo=0, hi=1))
    s.case('image-resize-free', lambda x: [tf.image.resize(x, [5, 7]), tf.image.resize(x, [5, 7], method='nearest'), tf.image.resize(x, [5, 7], method='bicubic')], F('n', 'h', 'w', 3))


@family
def fused(s):
    """What grappler makes of a graph before it is frozen."""
    x = F('n', 8, 8, 3)
    for name in ('Relu', 'Relu6', 'Elu', 'LeakyRelu'):
        extra = {'leakyrelu_alpha': 0.3} if name == 'LeakyRelu' else {}
        s.case(f'_FusedConv2D-{name}', lambda x, f=name, e=extra: made('_FusedConv2D', [x, const(3, 3, 3, 4), [const(4)]], [tf.float32], T=tf.float32, TArgs=[tf.float32], num_args=1, num_host_args=0, strides=[1, 2, 2, 1], padding='SAME', fused_ops=['BiasAdd', f], **e)[0], x)
    s.case('_FusedConv2D-norm', lambda x: made('_FusedConv2D', [x, const(3, 3, 3, 4), [const(4), const(4, seed=1), const(4, seed=2), const(4, seed=3, lo=0.5, hi=2.0)]], [tf.float32], T=tf.float32, TArgs=[tf.float32] * 4, num_args=4, num_host_args=0, strides=[1, 1, 1, 1], padding='VALID', fused_ops=['FusedBatchNorm'], epsilon=0.001)[0], x)
    s.case('_FusedMatMul', lambda x: [made('_FusedMatMul', [x, const(5, 4), [const(4)]], [tf.float32], T=tf.float32, num_args=1, fused_ops=['BiasAdd', f])[0] for f in ('Relu', 'Tanh')], F('n', 5))
    s.case('_FusedMatMul-turned', lambda x: made('_FusedMatMul', [x, const(4, 5), [const(4)]], [tf.float32], T=tf.float32, num_args=1, fused_ops=['BiasAdd'], transpose_b=True)[0], F('n', 5))


def concrete(f):
    return tf.function(f).get_concrete_function(tf.TensorSpec([None, 3], tf.float32))


@family
def rest(s):
    """Forms that only files have: functions by name, tables by reference, operators under older names."""
    x = F('n', 3)
    with tf.Graph().as_default():
        double = concrete(lambda a: a * 2.0)
        half = concrete(lambda a: a * 0.5)
        negative = concrete(lambda a: -a)
    s.case('If', lambda x, c: made('If', [c, [x]], [tf.float32], Tcond=tf.bool, Tin=[tf.float32], Tout=[tf.float32], then_branch=double, else_branch=half)[0], x, B())
    s.case('If-number', lambda x, c: made('If', [c, [x]], [tf.float32], Tcond=tf.int32, Tin=[tf.float32], Tout=[tf.float32], then_branch=double, else_branch=half)[0], x, V([3, 0], dtype='int32'))
    s.case('Case', lambda x, i: made('Case', [i, [x]], [tf.float32], Tin=[tf.float32], Tout=[tf.float32], branches=[double, half, negative])[0], x, V([1, 7], dtype='int32'))
    s.case('ToBool', lambda x, y: [raw.ToBool(input=x), raw.ToBool(input=y)], V([0, 2], dtype='int32'), F('n'))
    s.case('_FusedDepthwiseConv2dNative', lambda x: made('_FusedDepthwiseConv2dNative', [x, const(3, 3, 3, 1), [const(3)]], [tf.float32], T=tf.float32, num_args=1, strides=[1, 1, 1, 1], padding='SAME', fused_ops=['BiasAdd', 'Relu6'])[0], F('n', 6, 6, 3))

    def filled(table, put):
        v1.add_to_collection(v1.GraphKeys.TABLE_INITIALIZERS, put)
        return table

    def by_reference(x):
        table = raw.HashTable(key_dtype=tf.string, value_dtype=tf.int64, shared_name='words')
        filled(table, raw.InitializeTable(table_handle=table, keys=['a', 'bb'], values=tf.constant([5, 6], tf.int64)))
        return [raw.LookupTableFind(table_handle=table, keys=x, default_value=tf.constant(-1, tf.int64)), raw.LookupTableSize(table_handle=table)]

    s.case('HashTable', by_reference, S('n', of=('a', 'bb', 'c')))

    def mutable(make, values, missing):
        def build(x):
            table = make()
            filled(table, raw.LookupTableImportV2(table_handle=table, keys=tf.constant([1, 2, 3], tf.int64), values=values()))
            return raw.LookupTableFindV2(table_handle=table, keys=x, default_value=missing())

        return build

    keys = I('n', dtype='int64')
    s.case('MutableHashTableV2', mutable(lambda: raw.MutableHashTableV2(key_dtype=tf.int64, value_dtype=tf.float32), lambda: tf.constant([0.5, 1.5, 2.5]), lambda: tf.constant(-1.0)), keys)
    s.case('MutableHashTableOfTensorsV2', mutable(lambda: raw.MutableHashTableOfTensorsV2(key_dtype=tf.int64, value_dtype=tf.float32, value_shape=[2]), lambda: const(3, 2), lambda: tf.constant([-1.0, -2.0])), keys)

    def exported(x):
        table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(tf.constant([7], tf.int64), tf.constant([9.0])), -1.0)
        key, value = raw.LookupTableExportV2(table_handle=table.resource_handle, Tkeys=tf.int64, Tvalues=tf.float32)
        return [key, value, table.lookup(x)]

    s.case('LookupTableExportV2', exported, keys)
    floats = lambda values: tf.train.Feature(float_list=tf.train.FloatList(value=values))
    rows = [tf.train.Example(features=tf.train.Features(feature={'a': floats([i, i + 0.5]), 'v': floats([1.0] * i)})).SerializeToString() for i in range(3)]
    of = V([np.array(rows, dtype=object), np.array(rows[1:2], dtype=object)], 'n', dtype='string')

    def parsed(x):
        out = raw.ParseExample(serialized=x, names=[], sparse_keys=['v'], dense_keys=['a', 'b'], dense_defaults=[tf.constant([], tf.float32), [7.0]], sparse_types=[tf.float32], dense_shapes=[[2], [1]])
        return [*out.sparse_indices, *out.sparse_values, *out.sparse_shapes, *out.dense_values]

    s.case('ParseExample', parsed, of)

    def parsed_one(x):
        out = raw.ParseSingleExample(serialized=x[0], dense_defaults=[tf.constant([], tf.float32)], num_sparse=1, sparse_keys=['v'], dense_keys=['a'], sparse_types=[tf.float32], dense_shapes=[[2]])
        return [*out.sparse_indices, *out.sparse_values, *out.sparse_shapes, *out.dense_values]

    s.case('ParseSingleExample', parsed_one, of)


@family
def lists(s):
    x = F('n', 3)

    def listed(f):
        return lambda x: f(raw.TensorListFromTensor(tensor=x, element_shape=[3]), x)

    s.case('TensorListLength', listed(lambda l, x: [raw.TensorListLength(input_handle=l), raw.TensorListElementShape(input_handle=l, shape_type=tf.int32)]), x)
    s.case('TensorListGather', listed(lambda l, x: raw.TensorListGather(input_handle=l, indices=[1, 0], element_shape=[3], element_dtype=tf.float32)), x)
    s.case('TensorListResize', listed(lambda l, x: [raw.TensorListStack(input_handle=raw.TensorListResize(input_handle=l, size=k), element_shape=[3], element_dtype=tf.float32) for k in (1, 7)]), x)
    s.case('TensorListPopBack', listed(lambda l, x: [(lambda p: p[1])(raw.TensorListPopBack(input_handle=l, element_shape=[3], element_dtype=tf.float32))]), x)
    s.case('TensorListPushBack', listed(lambda l, x: raw.TensorListStack(input_handle=raw.TensorListPushBack(input_handle=l, tensor=x[0]), element_shape=[3], element_dtype=tf.float32)), x)
    s.case('TensorListScatter', lambda x: [raw.TensorListStack(input_handle=raw.TensorListScatterV2(tensor=x[:2], indices=[1, 0], element_shape=[3], num_elements=-1), element_shape=[3], element_dtype=tf.float32),
                                           raw.TensorListStack(input_handle=raw.TensorListScatter(tensor=x[:2], indices=[1, 0], element_shape=[3]), element_shape=[3], element_dtype=tf.float32)], x)
    s.case('TensorListScatterIntoExistingList', listed(lambda l, x: raw.TensorListStack(input_handle=raw.TensorListScatterIntoExistingList(input_handle=l, tensor=x[:1] * 2.0, indices=[1]), element_shape=[3], element_dtype=tf.float32)), x)
    s.case('TensorListConcat', lambda x: list(raw.TensorListConcatV2(input_handle=raw.TensorListFromTensor(tensor=tf.stack([x, x * 2.0]), element_shape=[-1, 3]), element_shape=[-1, 3], leading_dims=tf.zeros([0], tf.int64), element_dtype=tf.float32)), x)
    s.case('TensorListConcat-v1', lambda x: list(raw.TensorListConcat(input_handle=raw.TensorListFromTensor(tensor=tf.stack([x, x * 2.0]), element_shape=[-1, 3]), element_dtype=tf.float32)), x)
    s.case('TensorListSetItem', listed(lambda l, x: raw.TensorListStack(input_handle=raw.TensorListSetItem(input_handle=l, index=1, item=x[0] * 5.0), element_shape=[3], element_dtype=tf.float32)), x)

    def closing(x):
        with tf.control_dependencies(None):
            v1.disable_control_flow_v2()
            handle, flow = raw.TensorArrayV3(size=2, dtype=tf.float32)
            flow = raw.TensorArrayWriteV3(handle=handle, index=0, value=x, flow_in=flow)
            flow = raw.TensorArrayWriteV3(handle=handle, index=1, value=x * 2.0, flow_in=flow)
            out = raw.TensorArrayGatherV3(handle=handle, indices=[0, 1], flow_in=flow, dtype=tf.float32)
            v1.enable_control_flow_v2()
        return out

    s.case('TensorArray-raw', closing, x)


@family
def host(s):
    """Operators that the graph could compute, on the host because strings depend on them: floats as text are its alone."""
    text = lambda x: tf.strings.as_string(tf.cast(x, tf.float32), precision=4)
    two = (F('n', 3), F('n', 3))

    def case(name, f, *inputs):
        def build(*args):
            out = f(*args)
            return [o if o.dtype == tf.string else text(o) for o in (out if isinstance(out, (list, tuple)) else [out])]

        s.case(f'host-{name}', build, *inputs)

    for name in ('Add', 'AddV2', 'Sub', 'Mul', 'RealDiv', 'Maximum', 'Minimum', 'Equal', 'NotEqual', 'Less', 'LessEqual', 'Greater', 'GreaterEqual'):
        case(name, lambda x, y, op=name: getattr(raw, op)(x=x, y=y), *two)
        if name != 'RealDiv':
            case(f'{name}-int64', lambda x, y, op=name: getattr(raw, op)(x=x, y=y), I('n', 1, lo=-9, hi=9, dtype='int64'), I(3, lo=-9, hi=9, dtype='int64'))
    for name in ('FloorDiv', 'FloorMod'):
        case(name, lambda x, op=name: getattr(raw, op)(x=x, y=tf.constant([3, -4, 7])), I('n', 3, lo=-20, hi=20))
        case(f'{name}-float', lambda x, op=name: getattr(raw, op)(x=x, y=tf.constant([2.5, -1.5, 0.75])), F('n', 3, lo=-9, hi=9))
    case('logical', lambda x, y: [x & y, x | y, ~x], B('n', 3), B('n', 3))
    case('Cast', lambda x: [tf.cast(x, tf.int32), tf.cast(tf.cast(x, tf.int64), tf.float64), tf.cast(x > 0.0, tf.int32)], F('n', 3))
    case('Select', lambda c, x, y: [raw.Select(condition=c, x=x, y=y), tf.where(c, x, 1.5)], B('n', 3), *two)
    case('Select-rows', lambda c, x, y: raw.Select(condition=c, x=x, y=y), B('n'), *two)
    case('shape', lambda x: [tf.shape(x), tf.size(x), tf.rank(x), tf.reshape(x, [-1]), tf.squeeze(tf.expand_dims(x, 1), [1]), tf.transpose(x), tf.zeros_like(x), raw.Rank(input=x) + tf.shape(x)[0]], F('n', 3))
    case('join', lambda x, y: [tf.concat([x, y], 1), tf.stack([x, y], 1), *tf.unstack(x, axis=1), x[:, ::2], tf.slice(x, [0, 1], [-1, 2]), tf.tile(x, [1, 2]), tf.fill([tf.shape(x)[0], 2], 1.5)], *two)
    case('gather', lambda x, i: [tf.gather(x, i, axis=1), raw.Gather(params=x, indices=[0]), tf.gather_nd(x, tf.stack([tf.zeros_like(i), i], 1)), tf.where(x > 0.0), tf.range(tf.shape(x)[0])], F('n', 5), I('n'))
    case('reduce', lambda x: [tf.reduce_sum(x, 1), tf.reduce_prod(x, 1), tf.reduce_max(x, 0), tf.reduce_min(x), tf.reduce_all(x > 0.0, 1), tf.reduce_any(x > 0.0, 1), tf.reduce_sum(x, 1, keepdims=True)], F('n', 3))
    case('counting', lambda x: [tf.cumsum(x, 0), tf.cumsum(x, 0, exclusive=True, reverse=True), tf.math.bincount(x, minlength=6, maxlength=6), raw.Bincount(arr=x, size=7, weights=tf.zeros([0], tf.float32)), raw.Bucketize(input=x, boundaries=[1.0, 3.0])], I('n', hi=6))
    s.case('ragged-bincount', lambda x: raw.RaggedBincount(splits=tf.strings.split(x).row_splits, values=tf.strings.length(tf.strings.split(x).values), size=5, weights=tf.zeros([0], tf.float32)), S('n', of=('a bb', 'ccc a', 'dddd ddddddd')))
    s.case('ragged-slice', lambda x: tf.strings.split(x)[:, :1].to_tensor(''), S('n', of=('a bb', 'ccc a', 'd')))
    case('counting-rows', lambda x: [raw.DenseBincount(input=x, size=4, weights=tf.zeros([0], tf.float32)), raw.DenseBincount(input=x, size=4, weights=tf.zeros([0], tf.float32), binary_output=True)], I('n', 3, hi=5))
    case('unique', lambda x: [*tf.unique(x), *tf.unique_with_counts(x), *raw.UniqueV2(x=x, axis=tf.zeros([0], tf.int32))], I('n', hi=4))
    case('lookup', lambda x: tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(['a', 'bb'], [0.5, 1.5]), -1.0).lookup(x), S('n', of=('a', 'bb', 'c')))
    case('identity', lambda x: tf.identity(x), F('n', 3))
    s.case('host-string-moves', lambda x: [tf.strings.lower(t) for t in (tf.reshape(x, [-1, 1]), tf.concat([x, x], 0), x[::-1], tf.gather(x, [0, 1]), tf.stack([x, x], 1), tf.tile(x, [2]), tf.where(tf.equal(x, 'A'), 'Q', x), tf.fill([2], x[0]), tf.expand_dims(x, 0), tf.slice(x, [0], [1]), tf.boolean_mask(x, tf.not_equal(x, 'A')))], S('n', of=('A', 'Bb', 'C')))
    s.case('regex-dynamic', lambda x, p: [raw.RegexReplace(input=x, pattern=p, rewrite='<\\1>', replace_global=True), raw.RegexFullMatch(input=x, pattern=p)], S('n', of=('aab', 'xaay', 'aa')), V(['(a+)', 'x?(aa)y?'], dtype='string'))
    s.case('ragged-to-tensor', lambda x: [tf.strings.split(x, ',').to_tensor('pad'), tf.strings.split(x, ',').to_tensor('', shape=[None, 2])], S('n', of=('a,b', 'c', 'd,e,f')))
    s.case('sparse-concat', lambda x: (lambda sp: [tf.sparse.to_dense(tf.sparse.concat(1, [sp, sp]), default_value='-'), tf.sparse.to_dense(tf.sparse.reorder(sp), default_value='-')])(v1.string_split(x, ',')), S('n', of=('a,b', 'c', 'd,e,f')))
    s.case('sparse-cross-v1', lambda x, i: (lambda t: [t.indices, t.values, t.dense_shape])(tf.sparse.cross([v1.string_split(x, ','), tf.reshape(x, [-1, 1])])), S('n', of=('a,b', 'c')), I('n'))
    s.case('ngrams-padded', lambda x: [tf.strings.ngrams(tf.strings.split(x), (1, 3), pad_values=('<', '>'), padding_width=1).to_tensor(''), tf.strings.ngrams(tf.strings.split(x), 3, preserve_short_sequences=True).to_tensor('')], S('n', of=('a b c d', 'd', 'e f')))
    s.case('ngrams', lambda x: tf.strings.ngrams(tf.strings.split(x), 2, separator='_').to_tensor(''), S('n', of=('a b c', 'd', 'e f')))
    s.case('bytes-split', lambda x: tf.strings.bytes_split(x).to_tensor(''), S('n', of=('abc', '', 'de')))
    s.case('unicode-split', lambda x: tf.strings.unicode_split(x, 'UTF-8').to_tensor(''), S('n', of=('aü', '', 'd長e')))
    s.case('unicode-transcode', lambda x: tf.strings.unicode_transcode(x, 'UTF-8', 'UTF-8'), S('n', of=('aü', '', 'd長e')))
    s.case('text-vectorization', lambda x: tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(['the', 'cat'], tf.constant([2, 3], tf.int64)), 1).lookup(tf.strings.split(tf.strings.regex_replace(tf.strings.lower(x), r'[!"#$%&()\*\+,-\./:;<=>?@\[\\\]^_`{|}~\']', '')).to_tensor('')), S('n', of=('The cat!', 'a "DOG"', 'cat, the')))
    s.case('string-compare', lambda x, y: [tf.strings.join([x, y], ':'), tf.strings.to_hash_bucket_fast(tf.strings.join([x, y], '_X_'), 1000)], S('n'), S('n'))
    s.case('number-hash', lambda x: tf.strings.to_hash_bucket_fast(tf.strings.as_string(x), 1000), I('n', 2, lo=-999, hi=99999, dtype='int64'))
    s.case('bucket-cross', lambda x, y: tf.strings.to_hash_bucket_fast(tf.strings.join([tf.strings.as_string(tf.cast(raw.Bucketize(input=x, boundaries=[0.0, 1.0]), tf.int64)), y], '_X_'), 100), F('n'), S('n'))


if __name__ == '__main__':
    import os
    wanted = sys.argv[2:] or list(FAMILIES)
    os.makedirs(sys.argv[1], exist_ok=True)
    for name in wanted:
        suite = Suite(name)
        FAMILIES[name](suite)
        suite.write(sys.argv[1])
