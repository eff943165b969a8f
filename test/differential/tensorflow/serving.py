"""What TensorFlow answers for the test models of TensorFlow Serving, as zoo.py records its own.

    python serving.py SERVING FOLDER

SERVING is a checkout of https://github.com/tensorflow/serving (Apache-2.0; here commit 9d981c5c2708d23c5407c7c1e30309e6f9798874).
"""

import glob
import os
import shutil
import sys

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')

import numpy as np
import tensorflow as tf
from cases import packed, v1
from zoo import write

BATCHES = (1, 2, 5)
# Every signature of one model of each era; of the others, which differ in how they were written, the default.
ALL_SIGNATURES = {'saved_model_half_plus_two_cpu', 'saved_model_half_plus_two_tf2_cpu'}


def example(i):
    floats = lambda v: tf.train.Feature(float_list=tf.train.FloatList(value=[v]))
    return tf.train.Example(features=tf.train.Features(feature={'x': floats(i + 0.5), 'x2': floats(i * 2.0)})).SerializeToString()


def feed(session, info, batch):
    if info.dtype == tf.string.as_datatype_enum:
        return np.array([example(i) for i in range(batch)], dtype=object)
    placed = session.graph.get_tensor_by_name(info.name).shape
    dims = [-1 if d is None else d for d in placed] if placed.rank is not None else []
    free = [-1] if not dims else dims
    shape = [batch if d < 0 and i == 0 else abs(d) for i, d in enumerate(free)]
    return (np.arange(np.prod(shape)).reshape(shape) + 1).astype(tf.as_dtype(info.dtype).as_numpy_dtype)


def record(path, folder, name):
    with v1.Session(graph=tf.Graph()) as session:
        meta = v1.saved_model.load(session, ['serve'], path)
        signatures = {k: s for k, s in meta.signature_def.items() if s.outputs and not k.startswith('__')}
        keys = sorted(signatures) if name in ALL_SIGNATURES else [k for k in ('serving_default',) if k in signatures] or sorted(signatures)[:1]
        for key in keys:
            signature = signatures[key]
            runs = []
            try:
                for batch in BATCHES:
                    feeds = {k: feed(session, i, batch) for k, i in signature.inputs.items()}
                    got = session.run({k: o.name for k, o in signature.outputs.items()}, {signature.inputs[k].name: v for k, v in feeds.items()})
                    runs.append({'feeds': {k: packed(v) for k, v in feeds.items()}, 'fetches': {k: packed(v) for k, v in got.items()}})
            except Exception as error:
                print('failed', name, key, repr(error)[:200])
                continue
            target = f'{name}-{key}'.replace('saved_model_', '')
            shutil.rmtree(os.path.join(folder, target), ignore_errors=True)
            shutil.copytree(path, os.path.join(folder, target, 'model'))
            write(folder, target, {'kind': 'savedmodel', 'signature': key, 'runs': runs})
            print('made', target)


if __name__ == '__main__':
    serving, folder = sys.argv[1:3]
    for found in sorted(glob.glob(os.path.join(serving, 'tensorflow_serving', '**', 'saved_model.pb'), recursive=True)):
        path = os.path.dirname(found)
        try:
            record(path, folder, os.path.basename(os.path.dirname(path)))
        except Exception as error:
            print('failed', path, repr(error)[:200])
