"""Declares op-level cases: a function over typed placeholders, and feeds drawn for two sizes of every free dimension."""

import base64
import gzip
import json
import os
import zlib

os.environ.setdefault('CUDA_VISIBLE_DEVICES', '-1')
os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1

SIZES = ({'n': 2, 'm': 3, 'h': 9, 'w': 8, 't': 4, 'b': 1}, {'n': 5, 'm': 2, 'h': 11, 'w': 10, 't': 7, 'b': 3})


class Input:
    """A placeholder: dtype, dims (letters are free) and how its values are drawn."""

    def __init__(self, dtype, dims, draw):
        self.dtype, self.dims, self.draw = tf.as_dtype(dtype), dims, draw

    def shape(self, sizes):
        return [sizes[d] if isinstance(d, str) else d for d in self.dims]


def F(*dims, lo=-2.0, hi=2.0, dtype='float32'):
    return Input(dtype, dims, lambda rng, shape: rng.uniform(lo, hi, shape))


def I(*dims, lo=0, hi=5, dtype='int32'):
    return Input(dtype, dims, lambda rng, shape: rng.integers(lo, hi, shape))


def B(*dims):
    return Input('bool', dims, lambda rng, shape: rng.integers(0, 2, shape).astype(bool))


def S(*dims, of=('a', 'bb', 'ccc', '', 'ünï', 'a b', '42', '-1.5e3')):
    return Input('string', dims, lambda rng, shape: np.array(of, dtype=object)[rng.integers(0, len(of), shape)])


def V(values, *dims, dtype='float32'):
    """Feeds that have to be exactly these: `values` is one array per size."""
    step = iter(range(1 << 30))
    return Input(dtype, dims, lambda rng, shape: np.asarray(values[next(step) % len(values)]))


def packed(array):
    """An array as JSON: dtype, shape and base64 of deflated little-endian bytes, or the strings themselves as base64."""
    array = np.asarray(array)
    if array.dtype == object or array.dtype.kind in 'SU':
        flat = [v if isinstance(v, bytes) else str(v).encode() for v in array.reshape(-1)]
        return {'dtype': 'string', 'shape': list(array.shape), 'strings': [base64.b64encode(v).decode() for v in flat]}
    if array.dtype.name == 'bfloat16':  # requests and answers carry it as floats
        array = array.astype(np.float32)
    data = np.ascontiguousarray(array).astype(array.dtype.newbyteorder('<')).tobytes()
    return {'dtype': array.dtype.name, 'shape': list(array.shape), 'data': base64.b64encode(zlib.compress(data, 9)).decode()}


class Suite:
    """The cases of one family, written as one gzipped JSON file."""

    def __init__(self, family):
        self.family, self.cases, self.failed = family, [], []

    def case(self, name, build, *inputs, tolerance=None, variables=False):
        try:
            self.cases.append(self.make(name, build, inputs, tolerance, variables))
        except Exception as error:  # the generator goes on and lists what TensorFlow itself refuses
            self.failed.append((name, repr(error)[:300]))

    def make(self, name, build, inputs, tolerance, variables):
        graph = tf.Graph()
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        with graph.as_default():
            v1.set_random_seed(1)
            placeholders = [
                v1.placeholder(i.dtype, [None if isinstance(d, str) else d for d in i.dims], name=f'in{k}')
                for k, i in enumerate(inputs)
            ]
            outputs = build(*placeholders)
            if not isinstance(outputs, (list, tuple)):
                outputs = [outputs]
            outputs = [tf.identity(o, name=f'out{k}') for k, o in enumerate(outputs) if o is not None]
            # v1 control flow leaves the constants of its frames in the graph; nothing else has to go.
            graph_def = graph.as_graph_def()
            with v1.Session(graph=graph) as session:
                session.run([v1.tables_initializer()] + ([v1.global_variables_initializer()] if variables else []))
                if variables:
                    graph_def = v1.graph_util.convert_variables_to_constants(
                        session, graph_def, [o.op.name for o in outputs])
                runs = []
                for sizes in SIZES:
                    feeds = {}
                    for p, i in zip(placeholders, inputs):
                        value = np.asarray(i.draw(rng, i.shape(sizes)))
                        feeds[p] = value if i.dtype == tf.string else value.astype(i.dtype.as_numpy_dtype)
                    fetched = session.run(outputs, feeds)
                    runs.append({
                        'feeds': {p.op.name: packed(v) for p, v in feeds.items()},
                        'fetches': {o.op.name: packed(v) for o, v in zip(outputs, fetched)},
                    })
        for node in graph_def.node:
            for key in ('_output_shapes', '_class', '_lower_using_switch_merge', '_num_original_outputs', '_read_only_resource_inputs'):
                node.attr.pop(key, None)
            node.ClearField('experimental_debug_info')
            if node.op == 'Placeholder' and 'shape' in node.attr and node.attr['shape'].shape.unknown_rank:
                node.attr.pop('shape')
        raw = graph_def.SerializeToString()
        case = {'name': name, 'graph': base64.b64encode(zlib.compress(raw, 9)).decode(),
                'inputs': [f'in{k}' for k in range(len(inputs))], 'outputs': [o.op.name for o in outputs], 'runs': runs}
        if tolerance:
            case['tolerance'] = tolerance
        return case

    def write(self, folder):
        document = {'origin': f'test/differential/tensorflow/ops.py, TensorFlow {tf.__version__}', 'cases': self.cases}
        path = os.path.join(folder, f'{self.family}.json.gz')
        with open(path, 'wb') as file, gzip.GzipFile(fileobj=file, mode='wb', mtime=0, filename='') as out:
            out.write(json.dumps(document, separators=(',', ':')).encode())
        print(f'{self.family:12} {len(self.cases):4} cases {os.path.getsize(path) // 1024:5} kB')
        for name, error in self.failed:
            print('   failed', name, error)
