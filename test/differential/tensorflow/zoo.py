"""A zoo of SavedModels and frozen graphs with what TensorFlow answered at three batch sizes.

    python zoo.py FOLDER [name…]

Each model becomes FOLDER/<name>/{model/, cases.json}; `kind` in cases.json is savedmodel or frozen.
"""

import base64
import json
import os
import shutil
import sys
import tarfile
import tempfile
import zlib

os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')

import numpy as np
import tensorflow as tf
from cases import packed, v1

BATCHES = (1, 2, 5)
MODELS: dict = {}


def model(f):
    MODELS[f.__name__] = f
    return f


def perturb(variables, rng, damp=1.0):
    """Weights that start at zero or one prove nothing: every variable moves a little, and variances stay positive.

    `damp` scales what starts at one, so that a hundred layers do not add up beyond what a float can hold.
    """
    for v in variables:
        if v.dtype.is_floating if hasattr(v.dtype, 'is_floating') else 'float' in str(v.dtype):
            value = np.asarray(v)
            value = value * damp if damp != 1 and 'gamma' in v.path else value
            v.assign((value * (1 + rng.normal(0, 0.05, value.shape)) + rng.uniform(0, 0.01, value.shape)).astype(value.dtype))


def write(folder, name, document):
    with open(os.path.join(folder, name, 'cases.json'), 'w') as file:
        json.dump({'origin': f'zoo.py, TensorFlow {tf.__version__}', **document}, file)


def draw(rng, spec, batch):
    dtype, dims, options = spec
    shape = [batch if d in (None, -1) else d for d in dims]
    if dtype == 'string':
        return np.array(options, dtype=object)[rng.integers(0, len(options), shape)]
    low, high = options or (0, 1)
    if dtype.startswith('int'):
        return rng.integers(low, high, shape).astype(dtype)
    return rng.uniform(low, high, shape).astype(dtype)


def save_keras(folder, name, net, specs, perturbed=True, damp=1.0):
    """`specs`: input name → (dtype, dims, range or words)."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    if perturbed:
        perturb(net.weights, rng, damp)
    path = os.path.join(folder, name, 'model')
    shutil.rmtree(path, ignore_errors=True)
    if hasattr(net, 'export') and 'tf_keras' not in type(net).__module__:
        net.export(path, format='tf_saved_model', verbose=False)
    else:
        net.save(path, save_format='tf')
    record(folder, name, path, specs, rng)


def record(folder, name, path, specs, rng, signature='serving_default'):
    loaded = tf.saved_model.load(path)
    call = loaded.signatures[signature]
    runs = []
    names = list(call.structured_input_signature[1])
    for batch in BATCHES:
        feeds = {k: draw(rng, specs[k] if k in specs else list(specs.values())[i], batch) for i, k in enumerate(names)}
        out = call(**{k: tf.constant(v) for k, v in feeds.items()})
        runs.append({'feeds': {k: packed(v) for k, v in feeds.items()}, 'fetches': {k: packed(v.numpy()) for k, v in out.items()}})
    write(folder, name, {'kind': 'savedmodel', 'signature': signature, 'runs': runs})


# Without the damping their outputs are not numbers.
DEEP = ('resnet101',)


def application(name, make, size=64):
    def build(folder):
        import keras

        keras.utils.set_random_seed(1)
        net = make(keras.applications)
        save_keras(folder, name, net, {'x': ('float32', [None, size, size, 3], (-1, 1))}, damp=0.5 if name in DEEP else 1.0)

    MODELS[name] = build


for name, build, size in [
    ('mobilenet', lambda a: a.MobileNet(weights=None, input_shape=(64, 64, 3), alpha=0.25, classes=10, classifier_activation=None), 64),
    ('mobilenet_v2', lambda a: a.MobileNetV2(weights=None, input_shape=(64, 64, 3), alpha=0.35, classes=10, classifier_activation=None), 64),
    ('mobilenet_v3_small', lambda a: a.MobileNetV3Small(weights=None, input_shape=(64, 64, 3), classes=10, classifier_activation=None), 64),
    ('mobilenet_v3_large', lambda a: a.MobileNetV3Large(weights=None, input_shape=(64, 64, 3), classes=10, classifier_activation=None), 64),
    ('resnet50', lambda a: a.ResNet50(weights=None, input_shape=(64, 64, 3), classes=10, classifier_activation=None), 64),
    ('resnet50_v2', lambda a: a.ResNet50V2(weights=None, input_shape=(64, 64, 3), classes=10, classifier_activation=None), 64),
    ('resnet101', lambda a: a.ResNet101(weights=None, input_shape=(64, 64, 3), classes=10, classifier_activation=None), 64),
    ('vgg16', lambda a: a.VGG16(weights=None, input_shape=(32, 32, 3), classes=10, classifier_activation=None), 32),
    ('inception_v3', lambda a: a.InceptionV3(weights=None, input_shape=(80, 80, 3), classes=10, classifier_activation=None), 80),
    ('inception_resnet_v2', lambda a: a.InceptionResNetV2(weights=None, input_shape=(80, 80, 3), classes=10, classifier_activation=None), 80),
    ('xception', lambda a: a.Xception(weights=None, input_shape=(72, 72, 3), classes=10, classifier_activation=None), 72),
    ('densenet121', lambda a: a.DenseNet121(weights=None, input_shape=(64, 64, 3), classes=10, classifier_activation=None), 64),
    ('efficientnet_b0', lambda a: a.EfficientNetB0(weights=None, input_shape=(64, 64, 3), classes=10, classifier_activation=None), 64),
    ('efficientnet_v2_b0', lambda a: a.EfficientNetV2B0(weights=None, input_shape=(64, 64, 3), classes=10, classifier_activation=None), 64),
    ('nasnet_mobile', lambda a: a.NASNetMobile(weights=None, input_shape=(64, 64, 3), classes=10, classifier_activation=None), 64),
    ('convnext_tiny', lambda a: a.ConvNeXtTiny(weights=None, input_shape=(64, 64, 3), classes=10, classifier_activation=None), 64),
]:
    application(name, build, size)


def old_application(name, make, size=64):
    """The same through Keras 2, which wrote most SavedModels in service."""

    def build(folder):
        import tf_keras

        tf_keras.utils.set_random_seed(1)
        save_keras(folder, name, make(tf_keras.applications), {'x': ('float32', [None, size, size, 3], (-1, 1))})

    MODELS[name] = build


old_application('k2_mobilenet_v2', lambda a: a.MobileNetV2(weights=None, input_shape=(64, 64, 3), alpha=0.35, classes=10, classifier_activation=None))
old_application('k2_resnet50', lambda a: a.ResNet50(weights=None, input_shape=(64, 64, 3), classes=10, classifier_activation=None))
old_application('k2_efficientnet_b0', lambda a: a.EfficientNetB0(weights=None, input_shape=(64, 64, 3), classes=10, classifier_activation=None))
old_application('k2_regnet', lambda a: a.RegNetX002(weights=None, input_shape=(64, 64, 3), classes=10, classifier_activation=None))


def sequential(name, layers, dims, options=None, dtype='float32', which='keras'):
    def build(folder):
        if which == 'keras':
            import keras
        else:
            import tf_keras as keras
        keras.utils.set_random_seed(1)
        inp = keras.Input(dims, dtype=dtype)
        net = keras.Model(inp, layers(keras, inp))
        save_keras(folder, name, net, {'x': (dtype, [None, *dims], options or (-1, 1))})

    MODELS[name] = build


def encoder(k, x):
    y = k.layers.Embedding(50, 16)(x)
    for _ in range(2):
        a = k.layers.MultiHeadAttention(2, 8)(y, y)
        y = k.layers.LayerNormalization(epsilon=1e-6)(y + a) if hasattr(y, 'shape') else y
        f = k.layers.Dense(16)(k.layers.Dense(32, activation='gelu')(y))
        y = k.layers.LayerNormalization()(k.layers.Add()([y, f]))
    return k.layers.Dense(4, activation='softmax')(k.layers.GlobalAveragePooling1D()(y))


def unet(k, x):
    a = k.layers.Conv2D(8, 3, padding='same', activation='relu')(x)
    b = k.layers.Conv2D(16, 3, padding='same', activation='relu')(k.layers.MaxPooling2D()(a))
    c = k.layers.Conv2DTranspose(8, 2, strides=2, padding='same')(b)
    d = k.layers.UpSampling2D(2, interpolation='bilinear')(b)
    return k.layers.Conv2D(2, 1)(k.layers.Concatenate()([a, c, d]))


for which in ('keras', 'tf_keras'):
    p = '' if which == 'keras' else 'k2_'
    sequential(p + 'dense', lambda k, x: k.layers.Dense(3, activation='softmax')(k.layers.Dropout(0.5)(k.layers.BatchNormalization()(k.layers.Dense(16, activation='relu')(x)))), (7,), which=which)
    sequential(p + 'lstm', lambda k, x: k.layers.Dense(3)(k.layers.LSTM(8)(k.layers.LSTM(8, return_sequences=True)(x))), (6, 4), which=which)
    sequential(p + 'lstm_masked', lambda k, x: k.layers.LSTM(8)(k.layers.Embedding(20, 4, mask_zero=True)(x)), (6,), (0, 20), 'int32', which=which)
    sequential(p + 'gru', lambda k, x: k.layers.Dense(3)(k.layers.GRU(8)(x)), (6, 4), which=which)
    sequential(p + 'bidirectional', lambda k, x: k.layers.Bidirectional(k.layers.GRU(8, return_sequences=True))(k.layers.Bidirectional(k.layers.LSTM(4, return_sequences=True))(x)), (6, 4), which=which)
    sequential(p + 'textcnn', lambda k, x: k.layers.Dense(2)(k.layers.Concatenate()([k.layers.GlobalMaxPooling1D()(k.layers.Conv1D(8, n, activation='relu')(k.layers.Embedding(30, 8)(x))) for n in (2, 3)])), (12,), (0, 30), 'int32', which=which)
    sequential(p + 'encoder', encoder, (9,), (0, 50), 'int32', which=which)
    sequential(p + 'unet', unet, (16, 16, 3), which=which)
    sequential(p + 'convlstm', lambda k, x: k.layers.ConvLSTM2D(3, 3, padding='same')(x), (4, 6, 6, 2), which=which)
    sequential(p + 'conv3d', lambda k, x: k.layers.GlobalAveragePooling3D()(k.layers.MaxPooling3D()(k.layers.Conv3D(4, 3, padding='same', activation='elu')(x))), (6, 8, 8, 2), which=which)


def columns(k):
    """A wide-and-deep model that begins at strings: hashing, lookup, normalisation, buckets, crossing, one-hot."""
    L = k.layers
    age = k.Input((1,), dtype='float32', name='age')
    city = k.Input((1,), dtype='string', name='city')
    job = k.Input((1,), dtype='string', name='job')
    tags = k.Input((3,), dtype='string', name='tags')
    code = k.Input((1,), dtype='int64', name='code')
    norm = L.Normalization(mean=3.0, variance=4.0)(age)
    bucket = L.CategoryEncoding(4, output_mode='one_hot')(L.Discretization([1.0, 2.0, 3.0])(age))
    lookup = L.StringLookup(vocabulary=['paris', 'rome', 'oslo'])(city)
    cities = L.Flatten()(L.Embedding(8, 4)(lookup))
    onehot = L.StringLookup(vocabulary=['cook', 'smith'], output_mode='one_hot')(job)
    many = L.StringLookup(vocabulary=['x', 'y', 'z'], output_mode='multi_hot')(tags)
    hashed = L.Flatten()(L.Embedding(16, 3)(L.Hashing(16)(city)))
    codes = L.Flatten()(L.Embedding(8, 2)(L.IntegerLookup(vocabulary=[10, 20, 30])(code)))
    deep = L.Dense(16, activation='relu')(L.Concatenate()([norm, bucket, cities, onehot, many, hashed, codes]))
    return k.Model([age, city, job, tags, code], {'ctr': L.Dense(1, activation='sigmoid')(deep), 'age_norm': norm})


SPECS = {
    'age': ('float32', [None, 1], (0, 5)),
    'city': ('string', [None, 1], ['paris', 'rome', 'oslo', 'bonn', '']),
    'job': ('string', [None, 1], ['cook', 'smith', 'clerk']),
    'tags': ('string', [None, 3], ['x', 'y', 'z', 'w']),
    'code': ('int64', [None, 1], (0, 40)),
}


@model
def k2_columns(folder):
    import tf_keras

    tf_keras.utils.set_random_seed(1)
    save_keras(folder, 'k2_columns', columns(tf_keras), SPECS)


@model
def columns_k3(folder):
    import keras

    keras.utils.set_random_seed(1)
    net = columns(keras)

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None, d[1]], t, name=n) for n, (t, d, _) in SPECS.items()])
        def __call__(self, age, city, job, tags, code):
            return net([age, city, job, tags, code])

    module = Module()
    module.weights = [v.value if hasattr(v, 'value') and not isinstance(v, tf.Variable) else v for v in net.variables]
    module.net = net
    path = os.path.join(folder, 'columns_k3', 'model')
    tf.saved_model.save(module, path, signatures={'serving_default': module.__call__})
    record(folder, 'columns_k3', path, SPECS, np.random.default_rng(3))


@model
def deepfm(folder):
    """Embeddings of hashed strings with FM and a tower, as tf.Module."""

    class DeepFM(tf.Module):
        def __init__(self):
            rng = np.random.default_rng(2)
            self.tables = [tf.Variable(rng.normal(0, 0.3, (20, 8)).astype(np.float32)) for _ in range(3)]
            self.wide = [tf.Variable(rng.normal(0, 0.3, (20, 1)).astype(np.float32)) for _ in range(3)]
            self.w1 = tf.Variable(rng.normal(0, 0.3, (26, 16)).astype(np.float32))
            self.w2 = tf.Variable(rng.normal(0, 0.3, (16, 1)).astype(np.float32))

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, 'user'), tf.TensorSpec([None], tf.string, 'item'), tf.TensorSpec([None], tf.string, 'tags'), tf.TensorSpec([None, 2], tf.float32, 'dense')])
        def __call__(self, user, item, tags, dense):
            ids = [tf.strings.to_hash_bucket_fast(user, 20), tf.strings.to_hash_bucket_fast(item, 20)]
            e = [tf.nn.embedding_lookup(self.tables[i], ids[i]) for i in range(2)]
            split = tf.strings.split(tags, '|').to_sparse()
            bag = tf.SparseTensor(split.indices, tf.strings.to_hash_bucket_fast(split.values, 20), split.dense_shape)
            e.append(tf.nn.safe_embedding_lookup_sparse(self.tables[2], bag, combiner='mean'))
            w = sum(tf.nn.embedding_lookup(self.wide[i], ids[i]) for i in range(2)) + tf.nn.safe_embedding_lookup_sparse(self.wide[2], bag, combiner='sum')
            stack = tf.stack(e, 1)
            fm = 0.5 * tf.reduce_sum(tf.square(tf.reduce_sum(stack, 1)) - tf.reduce_sum(tf.square(stack), 1), 1, keepdims=True)
            deep = tf.nn.relu(tf.concat([tf.reshape(stack, [-1, 24]), dense], 1) @ self.w1) @ self.w2
            logits = w + fm + deep
            return {'logits': logits, 'probs': tf.sigmoid(logits)}

    net = DeepFM()
    path = os.path.join(folder, 'deepfm', 'model')
    tf.saved_model.save(net, path, signatures={'serving_default': net.__call__})
    words = ['u1', 'u2', 'u3', '长', '']
    record(folder, 'deepfm', path, {'user': ('string', [None], words), 'item': ('string', [None], words), 'tags': ('string', [None], ['a|b', 'c', '', 'a|d|e|f']), 'dense': ('float32', [None, 2], (-1, 1))}, np.random.default_rng(5))


def v1_model(name, build, specs, frozen=False, strip=False):
    """A TensorFlow 1 graph through SavedModelBuilder, or frozen; `build` returns (inputs, outputs, init op or None)."""

    def make(folder):
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        path = os.path.join(folder, name, 'model')
        shutil.rmtree(path, ignore_errors=True)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        graph = tf.Graph()
        with graph.as_default(), v1.Session(graph=graph) as session:
            v1.set_random_seed(3)
            inputs, outputs, init = build()
            session.run([v1.global_variables_initializer(), v1.local_variables_initializer(), v1.tables_initializer()])
            runs = []
            for batch in BATCHES:
                feeds = {k: draw(rng, specs[k], batch) for k in inputs}
                got = session.run(outputs, {inputs[k]: feeds[k] for k in inputs})
                runs.append({'feeds': {k: packed(v) for k, v in feeds.items()}, 'fetches': {k: packed(v) for k, v in got.items()}})
            if frozen:
                frozen_def = v1.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), [o.op.name for o in outputs.values()])
                os.makedirs(path)
                with open(os.path.join(path, 'frozen.pb'), 'wb') as file:
                    file.write(frozen_def.SerializeToString())
                tf.io.write_graph(frozen_def, path, 'frozen.pbtxt', as_text=True)
                rename = lambda tensors, values: {tensors[k].op.name: v for k, v in values.items()}
                runs = [{'feeds': rename(inputs, r['feeds']), 'fetches': rename(outputs, r['fetches'])} for r in runs]
                write(folder, name, {'kind': 'frozen', 'runs': runs})
                return
            builder = v1.saved_model.Builder(path)
            signature = v1.saved_model.signature_def_utils.predict_signature_def(inputs, outputs)
            builder.add_meta_graph_and_variables(session, ['serve'], {'serving_default': signature}, main_op=init, strip_default_attrs=strip, assets_collection=v1.get_collection(v1.GraphKeys.ASSET_FILEPATHS) or None)
            builder.save()
            write(folder, name, {'kind': 'savedmodel', 'signature': 'serving_default', 'runs': runs})

    MODELS[name] = make


def mlp(resource):
    def build():
        v1.enable_resource_variables() if resource else v1.disable_resource_variables()
        x = v1.placeholder(tf.float32, [None, 6], 'x')
        keep = v1.placeholder_with_default(1.0, [], 'keep_prob')
        training = v1.placeholder_with_default(False, [], 'is_training')
        w = v1.get_variable('w', [6, 8], initializer=v1.glorot_uniform_initializer())
        b = v1.get_variable('b', [8], initializer=v1.constant_initializer(0.3))
        h = tf.nn.relu(x @ w + b)
        h = tf.cond(training, lambda: v1.nn.dropout(h, keep), lambda: h)
        p = v1.get_variable('p', [8, 3], partitioner=v1.fixed_size_partitioner(2), initializer=v1.glorot_uniform_initializer())
        return {'x': x}, {'y': tf.nn.softmax(h @ tf.convert_to_tensor(p)), 'class': tf.argmax(h @ tf.convert_to_tensor(p), 1)}, None

    return build


v1_model('v1_mlp_ref', mlp(False), {'x': ('float32', [None, 6], (-1, 1))})
v1_model('v1_mlp_resource', mlp(True), {'x': ('float32', [None, 6], (-1, 1))}, strip=True)


def rnn_v1():
    v1.disable_control_flow_v2()
    v1.disable_resource_variables()
    x = v1.placeholder(tf.float32, [None, 5, 3], 'x')
    n = v1.placeholder(tf.int32, [None], 'n')
    from tf_keras.src.layers.rnn import legacy_cells as cells

    cell = cells.MultiRNNCell([cells.BasicLSTMCell(4), cells.GRUCell(4)])
    state = cell.zero_state(tf.shape(x)[0], tf.float32)
    time = tf.shape(x)[1]
    inputs = tf.TensorArray(tf.float32, size=time).unstack(tf.transpose(x, [1, 0, 2]))
    outputs = tf.TensorArray(tf.float32, size=time)
    from tensorflow.python.util import nest

    def step(i, outs, *flat):
        s = nest.pack_sequence_as(state, list(flat))
        with v1.variable_scope('rnn', reuse=v1.AUTO_REUSE):
            y, s2 = cell(inputs.read(i), s)
        keep = tf.reshape(i < n, [-1, 1])
        new = [tf.where(keep, a, b) for a, b in zip(nest.flatten(s2), flat)]
        return (i + 1, outs.write(i, tf.where(keep, y, tf.zeros_like(y))), *new)

    result = tf.while_loop(lambda i, *_: i < time, step, [0, outputs, *nest.flatten(state)])
    v1.enable_control_flow_v2()
    return {'x': x, 'n': n}, {'y': tf.transpose(result[1].stack(), [1, 0, 2]), 'last': result[-1]}, None


v1_model('v1_dynamic_rnn', rnn_v1, {'x': ('float32', [None, 5, 3], (-1, 1)), 'n': ('int32', [None], (1, 6))})


def tables_v1():
    words = v1.placeholder(tf.string, [None], 'words')
    vocabulary = os.path.join(tempfile.mkdtemp(), 'vocabulary.txt')
    with open(vocabulary, 'w') as file:
        file.write('alpha\nbeta\ngamma\n')
    table = tf.lookup.StaticVocabularyTable(tf.lookup.TextFileInitializer(vocabulary, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER), 2)
    back = tf.lookup.StaticHashTable(tf.lookup.TextFileInitializer(vocabulary, tf.int64, tf.lookup.TextFileIndex.LINE_NUMBER, tf.string, tf.lookup.TextFileIndex.WHOLE_LINE), 'UNK')
    e = v1.get_variable('e', [5, 3])
    ids = table.lookup(words)
    return {'words': words}, {'ids': ids, 'embedded': tf.gather(e, ids), 'words_again': back.lookup(ids)}, v1.tables_initializer()


v1_model('v1_tables', tables_v1, {'words': ('string', [None], ['alpha', 'beta', 'gamma', 'delta', 'eps'])})


def feature_columns():
    import warnings
    warnings.simplefilter('ignore')
    fc = tf.feature_column
    v1.enable_resource_variables()
    features = {'age': v1.placeholder(tf.float32, [None, 1], 'age'), 'city': v1.placeholder(tf.string, [None, 1], 'city'), 'code': v1.placeholder(tf.int64, [None, 1], 'code')}
    age = fc.numeric_column('age', normalizer_fn=lambda x: (x - 3.0) / 2.0)
    bucket = fc.bucketized_column(fc.numeric_column('age'), [1.0, 2.0, 3.0])
    city = fc.categorical_column_with_hash_bucket('city', 20)
    vocabulary = fc.categorical_column_with_vocabulary_list('city', ['paris', 'rome'], num_oov_buckets=1)
    code = fc.categorical_column_with_identity('code', 40)
    crossed = fc.crossed_column([bucket, 'city'], 50)
    cols = [age, bucket, fc.embedding_column(city, 4), fc.indicator_column(vocabulary), fc.embedding_column(code, 3), fc.indicator_column(crossed)]
    x = v1.feature_column.input_layer(dict(features), cols)
    linear = v1.feature_column.linear_model(dict(features), [bucket, city, crossed])
    w = v1.get_variable('w', [x.shape[1], 1])
    logits = x @ w + linear
    return features, {'logits': logits, 'x': x}, v1.tables_initializer()


v1_model('v1_feature_columns', feature_columns, {'age': ('float32', [None, 1], (0, 5)), 'city': ('string', [None, 1], ['paris', 'rome', 'oslo']), 'code': ('int64', [None, 1], (0, 40))})


def easyrec():
    """One string per feature, as EasyRec's serving graphs take them."""
    v1.disable_resource_variables()
    raw = v1.placeholder(tf.string, [None], 'price')
    ids = v1.placeholder(tf.string, [None], 'user_id')
    tags = v1.placeholder(tf.string, [None], 'tag_list')
    dense = tf.reshape(tf.strings.to_number(tf.sparse.to_dense(v1.string_split(raw, ','), default_value='0')), [-1, 2])
    sparse = v1.string_split(tags, '|')
    bag = tf.SparseTensor(sparse.indices, tf.strings.to_hash_bucket_fast(sparse.values, 30), sparse.dense_shape)
    table = v1.get_variable('table', [30, 4], partitioner=v1.fixed_size_partitioner(3))
    user = v1.get_variable('user', [50, 4])
    e1 = v1.nn.safe_embedding_lookup_sparse(table, bag, combiner='mean', partition_strategy='div')
    e2 = tf.nn.embedding_lookup(user, tf.strings.to_hash_bucket_fast(ids, 50))
    h = tf.concat([dense, e1, e2], 1)
    w = v1.get_variable('w', [10, 1])
    logits = tf.squeeze(h @ w, 1)
    return {'price': raw, 'user_id': ids, 'tag_list': tags}, {'logits': logits, 'probs': tf.sigmoid(logits)}, None


v1_model('v1_easyrec', easyrec, {'price': ('string', [None], ['1.5,2', '0.25,-3', '7,8.5']), 'user_id': ('string', [None], ['u1', 'u2', '33']), 'tag_list': ('string', [None], ['a|b', '', 'c', 'a|d|e'])})


def parse_example():
    serialized = v1.placeholder(tf.string, [None], 'examples')
    f = v1.parse_example(serialized, {'x': v1.FixedLenFeature([2], tf.float32), 'w': v1.VarLenFeature(tf.string)})
    table = v1.get_variable('t', [10, 3])
    bag = tf.SparseTensor(f['w'].indices, tf.strings.to_hash_bucket_fast(f['w'].values, 10), f['w'].dense_shape)
    e = v1.nn.safe_embedding_lookup_sparse([table], bag)
    y = tf.concat([f['x'], e], 1)
    classes = tf.tile(tf.expand_dims(tf.as_string(tf.range(2)), 0), [tf.shape(y)[0], 1])
    return {'examples': serialized}, {'scores': tf.nn.softmax(y @ v1.get_variable('o', [5, 2])), 'classes': classes}, None


def examples():
    out = []
    for x, w in (([1.0, 2.0], [b'a', b'b']), ([0.5, -2.0], []), ([3.0, 0.0], [b'zz'])):
        out.append(tf.train.Example(features=tf.train.Features(feature={'x': tf.train.Feature(float_list=tf.train.FloatList(value=x)), 'w': tf.train.Feature(bytes_list=tf.train.BytesList(value=w))})).SerializeToString())
    return out


v1_model('v1_parse_example', parse_example, {'examples': ('string', [None], examples())})


def frozen_cnn():
    x = v1.placeholder(tf.float32, [None, 12, 12, 1], 'image_placeholder')
    rng = np.random.default_rng(1)
    k = v1.get_variable('k', initializer=rng.normal(0, 0.3, (3, 3, 1, 4)).astype(np.float32))
    h = tf.nn.max_pool2d(tf.nn.relu(tf.nn.conv2d(x, k, 1, 'SAME')), 2, 2, 'SAME')
    w = v1.get_variable('w', initializer=rng.normal(0, 0.3, (144, 5)).astype(np.float32))
    logits = tf.matmul(tf.reshape(h, [-1, 144]), w, name='logits')
    return {'x': x}, {'y': tf.nn.softmax(logits, name='softmax'), 'l': logits}, None


v1_model('frozen_cnn', frozen_cnn, {'x': ('float32', [None, 12, 12, 1], (0, 1))}, frozen=True)


@model
def tf2_control(folder):
    class Module(tf.Module):
        def __init__(self):
            self.scale = tf.Variable(1.5)
            self.table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(tf.constant([1, 2, 3], tf.int64), tf.constant([10.0, 20.0, 30.0])), 0.5)

        @tf.function(input_signature=[tf.TensorSpec([None, 3], tf.float32, 'x'), tf.TensorSpec([None], tf.int64, 'k')])
        def predict(self, x, k):
            y = x * self.scale
            for _ in tf.range(3):
                y = y + tf.reduce_mean(y) * 0.1
            if tf.reduce_sum(x) > 0.0:
                y = -y
            values = tf.TensorArray(tf.float32, size=0, dynamic_size=True, element_shape=[3])
            for i in tf.range(tf.shape(x)[0]):
                values = values.write(i, y[i] * tf.cast(i, tf.float32))
            return {'y': y, 'v': tf.reshape(values.stack(), [-1, 3]), 't': self.table.lookup(k), 'm': tf.map_fn(tf.reduce_max, y)}

    net = Module()
    path = os.path.join(folder, 'tf2_control', 'model')
    tf.saved_model.save(net, path, signatures={'serving_default': net.predict})
    record(folder, 'tf2_control', path, {'x': ('float32', [None, 3], (-1, 1)), 'k': ('int64', [None], (0, 5))}, np.random.default_rng(1))


def variables_v1():
    """Resource variables read by index, and asked for what they are."""
    v1.enable_resource_variables()
    ids = v1.placeholder(tf.int32, [None, 1], 'ids')
    table = v1.get_variable('table', [6, 3])
    raw = tf.raw_ops
    rows = raw.ResourceGatherNd(resource=table.handle, indices=ids, dtype=tf.float32)
    rows.set_shape([None, 3])
    size = raw.VariableShape(input=table.handle)
    known = tf.cast(raw.VarIsInitializedOp(resource=table.handle), tf.float32)
    return {'ids': ids}, {'rows': rows * known, 'size': tf.tile(tf.expand_dims(size, 0), [tf.shape(ids)[0], 1])}, None


v1_model('v1_variables', variables_v1, {'ids': ('int32', [None, 1], (0, 6))})


def half_plus_two(folder, name, tf2):
    """The model of TensorFlow Serving's tests, made again: y = a * x + b with a = 0.5, b = 2."""
    path = os.path.join(folder, name, 'model')
    shutil.rmtree(path, ignore_errors=True)
    if tf2:
        class Module(tf.Module):
            def __init__(self):
                self.a, self.b = tf.Variable(0.5, name='a'), tf.Variable(2.0, name='b')

            @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, 'x')])
            def predict(self, x):
                return {'y': self.a * x + self.b}

        net = Module()
        tf.saved_model.save(net, path, signatures={'serving_default': net.predict})
    else:
        graph = tf.Graph()
        with graph.as_default(), v1.Session(graph=graph) as session:
            v1.disable_resource_variables()
            a, b = v1.get_variable('a', initializer=0.5), v1.get_variable('b', initializer=2.0)
            c = v1.get_variable('c', initializer=3.0)
            serialized = v1.placeholder(tf.string, name='tf_example')
            parsed = v1.parse_example(serialized, {'x': v1.FixedLenFeature([1], tf.float32), 'x2': v1.FixedLenFeature([1], tf.float32, [0.0])})
            x = tf.identity(parsed['x'], name='x')
            y, y2, y3 = tf.add(tf.multiply(a, x), b, name='y'), tf.add(tf.multiply(a, x), c, name='y2'), tf.add(tf.multiply(a, parsed['x2']), c, name='y3')
            session.run(v1.global_variables_initializer())
            s = v1.saved_model
            info = s.build_tensor_info
            define = lambda i, o, m: s.build_signature_def({k: info(t) for k, t in i.items()}, {k: info(t) for k, t in o.items()}, m)
            builder = s.Builder(path)
            builder.add_meta_graph_and_variables(session, ['serve'], {
                'serving_default': define({'x': x}, {'y': y}, 'tensorflow/serving/predict'),
                'regress_x_to_y': define({'inputs': serialized}, {'outputs': y}, 'tensorflow/serving/regress'),
                'regress_x_to_y2': define({'inputs': serialized}, {'outputs': y2}, 'tensorflow/serving/regress'),
                'regress_x2_to_y3': define({'inputs': parsed['x2']}, {'outputs': y3}, 'tensorflow/serving/regress'),
                'classify_x_to_y': define({'inputs': serialized}, {'scores': y}, 'tensorflow/serving/classify'),
            })
            builder.save()
    runs = []
    for batch in BATCHES:
        x = np.arange(batch, dtype=np.float32) + 1
        if not tf2:
            x = x.reshape(-1, 1)
        runs.append({'feeds': {'x': packed(x)}, 'fetches': {'y': packed((x * 0.5 + 2).astype(np.float32))}})
    write(folder, name, {'kind': 'savedmodel', 'signature': 'serving_default', 'runs': runs})


MODELS['half_plus_two_v1'] = lambda folder: half_plus_two(folder, 'half_plus_two_v1', False)
MODELS['half_plus_two_v2'] = lambda folder: half_plus_two(folder, 'half_plus_two_v2', True)


def archive(folder, name):
    """The same directory as the archives that a service may name."""
    root = os.path.join(folder, name)
    with tarfile.open(os.path.join(root, 'model.tar.gz'), 'w:gz') as tar:
        tar.add(os.path.join(root, 'model'), '1')
    shutil.make_archive(os.path.join(root, 'model'), 'zip', os.path.join(root, 'model'))


def check(folder, name):
    """Outputs that are not numbers, or all alike, would agree with anything."""
    with open(os.path.join(folder, name, 'cases.json')) as file:
        runs = json.load(file)['runs']
    for key, out in runs[-1]['fetches'].items():
        if out['dtype'].startswith('float'):
            values = np.frombuffer(zlib.decompress(base64.b64decode(out['data'])), out['dtype'])
            if not np.isfinite(values).all() or np.abs(values).max() < 1e-6 or np.ptp(values) < 1e-4 * np.abs(values).max():
                print('   poor', name, key, values[:4], flush=True)


def write_models(models):
    """Writes the models that the command line names, or all, each into a folder of its own below the one it names first."""
    folder = sys.argv[1]
    for name in sys.argv[2:] or list(models):
        os.makedirs(os.path.join(folder, name), exist_ok=True)
        try:
            models[name](folder)
            if name in ('half_plus_two_v2', 'v1_tables'):
                archive(folder, name)
            check(folder, name)
            print('made', name, flush=True)
        except Exception as error:
            print('failed', name, repr(error)[:400], flush=True)


if __name__ == '__main__':
    write_models(MODELS)
