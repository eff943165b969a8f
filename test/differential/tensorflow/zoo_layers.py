"""More models for the zoo: every kind of layer of Keras 2 and 3, and the recommenders and encoders built of them.

    python zoo_layers.py FOLDER [name…]
"""

import os
import shutil
import zlib

import numpy as np
import tensorflow as tf
from cases import v1
from zoo import record, save_keras, v1_model, write_models
import zoo

MODELS = {}
zoo.MODELS = MODELS


def layers(name, build, dims, options=None, dtype='float32', which=('keras', 'tf_keras')):
    """A model of one input, made with Keras 3 and, under a name with `k2_`, with Keras 2."""
    for module in which:
        full = name if module == 'keras' else f'k2_{name}'

        def make(folder, full=full, module=module):
            k = __import__(module)
            k.utils.set_random_seed(1)
            x = k.Input(dims, dtype=dtype, name='x')
            net = k.Model(x, build(k, k.layers, x))
            save_keras(folder, full, net, {'x': (dtype, [None, *dims], options or (-1, 1))})

        MODELS[full] = make


def functional(name, inputs, build, which=('keras', 'tf_keras')):
    """A model of several inputs: name → (dtype, dims, range or words)."""
    for module in which:
        full = name if module == 'keras' else f'k2_{name}'

        def make(folder, full=full, module=module):
            k = __import__(module)
            k.utils.set_random_seed(1)
            given = {n: k.Input(dims, dtype=t, name=n) for n, (t, dims, _) in inputs.items()}
            net = k.Model(given, build(k, k.layers, given))
            specs = {n: (t, [None, *dims], o) for n, (t, dims, o) in inputs.items()}
            path = os.path.join(folder, full, 'model')
            rng = np.random.default_rng(zlib.crc32(full.encode()))
            zoo.perturb(net.weights, rng)
            shutil.rmtree(path, ignore_errors=True)
            if module == 'keras':
                serve = tf.function(lambda **x: wrap(net(x)), input_signature=None)
                call = tf.function(lambda x: wrap(net(x)), input_signature=[{n: tf.TensorSpec([None, *d], t, n) for n, (t, d, _) in inputs.items()}])
                holder = tf.Module()
                holder.variables_of_model = [v.value for v in net.variables]
                holder.net = net
                named = tf.function(lambda **x: wrap(net(x)))
                concrete = named.get_concrete_function(**{n: tf.TensorSpec([None, *d], t, n) for n, (t, d, _) in inputs.items()})
                tf.saved_model.save(holder, path, signatures={'serving_default': concrete})
            else:
                net.save(path, save_format='tf')
            record(folder, full, path, specs, rng)

        MODELS[full] = make


def wrap(out):
    return out if isinstance(out, dict) else {'output': out}


layers('separable', lambda k, L, x: L.GlobalMaxPooling2D()(L.SeparableConv2D(6, 3, depth_multiplier=2, strides=2, padding='same', activation='relu')(L.DepthwiseConv2D(3, depth_multiplier=2, dilation_rate=2)(x))), (16, 16, 3))
layers('conv1d', lambda k, L, x: L.Conv1DTranspose(3, 3, strides=2, padding='same')(L.SeparableConv1D(5, 3)(L.Conv1D(6, 3, padding='causal', dilation_rate=2)(x))), (15, 4))
layers('conv_groups', lambda k, L, x: L.Conv2D(8, 3, groups=2, strides=2, padding='same')(L.Conv2D(8, (3, 5), dilation_rate=(2, 1), padding='same', use_bias=False)(x)), (13, 14, 4))
layers('transposed', lambda k, L, x: L.Conv2DTranspose(3, (3, 4), strides=(2, 3), padding='same')(L.Conv2DTranspose(5, 3, strides=2, padding='valid', activation='relu')(x)), (5, 6, 3))
layers('transposed3d', lambda k, L, x: L.Conv3DTranspose(3, 3, strides=2, padding='same')(x), (4, 5, 3, 2))
layers('normalised', lambda k, L, x: L.Concatenate()([L.LayerNormalization(axis=[1, 2, 3])(x), L.LayerNormalization(axis=-1, scale=False)(x), L.BatchNormalization(axis=1)(x), L.BatchNormalization(center=False)(x), L.UnitNormalization()(x), L.GroupNormalization(2)(x)]), (5, 6, 4))
layers('activations', lambda k, L, x: L.Concatenate()([L.PReLU()(x), L.ELU(0.5)(x), L.LeakyReLU()(x), L.ReLU(max_value=0.8, negative_slope=0.1, threshold=0.1)(x), L.Softmax(axis=1)(x)] + [L.Activation(a)(x) for a in ('selu', 'softplus', 'softsign', 'tanh', 'sigmoid', 'hard_sigmoid', 'exponential', 'gelu', 'swish', 'mish', 'linear')]), (5, 3), which=('keras',))
layers('activations2', lambda k, L, x: L.Concatenate()([L.PReLU(shared_axes=[1])(x), L.ThresholdedReLU(0.3)(x), L.LeakyReLU(0.2)(x), L.Softmax(axis=1)(x)] + [L.Activation(a)(x) for a in ('selu', 'softplus', 'softsign', 'hard_sigmoid', 'exponential', 'gelu', 'swish')]), (5, 3), which=('tf_keras',))
layers('reshaping', lambda k, L, x: L.Concatenate()([L.Flatten()(L.Cropping2D(((1, 0), (1, 1)))(x)), L.Flatten()(L.ZeroPadding2D(((1, 0), (0, 2)))(x)), L.Flatten()(L.UpSampling2D((2, 1))(x)), L.Reshape((-1,))(L.Permute((3, 1, 2))(x)), L.Flatten()(L.RepeatVector(2)(L.Flatten()(x)))]), (4, 5, 2))
layers('reshaping3d', lambda k, L, x: L.Concatenate()([L.Flatten()(L.Cropping3D(1)(x)), L.Flatten()(L.ZeroPadding3D(1)(x)), L.Flatten()(L.UpSampling3D(2)(x)), L.Flatten()(L.AveragePooling3D(2, padding='same')(x))]), (4, 5, 3, 2))
layers('pooling', lambda k, L, x: L.Concatenate()([L.Flatten()(p(x)) for p in (L.AveragePooling2D(3, 2, padding='same'), L.MaxPooling2D(3, 2, padding='same'), L.AveragePooling2D((2, 3)), L.GlobalAveragePooling2D(keepdims=True), L.GlobalMaxPooling2D())]), (9, 8, 3))
layers('pooling1d', lambda k, L, x: L.Concatenate()([L.Flatten()(p(x)) for p in (L.AveragePooling1D(3, 2, padding='same'), L.MaxPooling1D(3, 2, padding='same'), L.GlobalMaxPooling1D(), L.UpSampling1D(2), L.Cropping1D((1, 2)), L.ZeroPadding1D((2, 1)))]), (9, 3))
layers('images', lambda k, L, x: L.Concatenate()([L.Flatten()(p(x)) for p in (L.Rescaling(1 / 127.5, offset=-1), L.Resizing(7, 5), L.Resizing(13, 12, interpolation='nearest'), L.CenterCrop(4, 6), L.Resizing(13, 12, interpolation='bicubic'), L.UpSampling2D(2, interpolation='bilinear'))]), (8, 10, 3), (0, 255))
layers('merging', lambda k, L, x: (lambda a, b: L.Concatenate()([L.Add()([a, b]), L.Subtract()([a, b]), L.Multiply()([a, b]), L.Average()([a, b]), L.Maximum()([a, b]), L.Minimum()([a, b]), L.Dot(1)([a, b]), L.Dot(1, normalize=True)([a, b])]))(L.Dense(6)(x), L.Dense(6, activation='tanh')(x)), (5,))
layers('attention', lambda k, L, x: L.Concatenate()([L.Attention()([x, x]), L.Attention(use_scale=True)([x, x], use_causal_mask=True), L.AdditiveAttention()([x, x]), L.MultiHeadAttention(2, 3, value_dim=4, output_shape=5)(x, x, use_causal_mask=True)]), (6, 4))
layers('einsum_dense', lambda k, L, x: L.EinsumDense('abc,cd->abd', output_shape=(None, 5), bias_axes='d')(x), (6, 4))
layers('recurrent', lambda k, L, x: L.Concatenate()([L.SimpleRNN(4)(x), L.GRU(4, reset_after=False, go_backwards=True)(x), L.LSTM(4, go_backwards=True)(x), L.LSTM(4, unroll=True, use_bias=False)(x), L.RNN([L.LSTMCell(3), L.GRUCell(4)])(x)]), (6, 3))
layers('recurrent_merge', lambda k, L, x: L.Concatenate()([L.Bidirectional(L.LSTM(4, return_sequences=True), merge_mode=m)(x) for m in ('sum', 'mul', 'ave', 'concat')]), (6, 3))
layers('recurrent_state', lambda k, L, x: (lambda o: L.Concatenate()([o[0], o[1], o[2], L.GRU(4)(x, initial_state=o[1])]))(L.LSTM(4, return_state=True)(x)), (6, 3))
layers('masked', lambda k, L, x: L.Dense(3)(L.Bidirectional(L.LSTM(4))(L.GRU(5, return_sequences=True)(L.Masking(0.0)(L.ReLU()(x))))), (6, 3))
layers('time_distributed', lambda k, L, x: L.LSTM(4)(L.TimeDistributed(L.Flatten())(L.TimeDistributed(L.Conv2D(3, 3, activation='relu'))(x))), (4, 6, 6, 2))
layers('embedding_mask', lambda k, L, x: (lambda e: L.Concatenate()([L.GlobalAveragePooling1D()(e), L.LSTM(4)(e)]))(L.Embedding(20, 4, mask_zero=True)(x)), (7,), (0, 20), 'int32')


def gpt(k, L, x):
    """Decoder-only transformer: learnt positions, causal attention, tied output."""
    table = L.Embedding(30, 16)
    length = x.shape[1]
    ops = k.ops if hasattr(k, 'ops') else None
    positions = L.Embedding(12, 16)(ops.arange(length)) if ops else L.Embedding(12, 16)(tf.range(length))
    h = table(x) + positions
    for _ in range(2):
        a = L.LayerNormalization(epsilon=1e-5)(h)
        h = h + L.MultiHeadAttention(4, 4)(a, a, use_causal_mask=True)
        f = L.LayerNormalization(epsilon=1e-5)(h)
        h = h + L.Dense(16)(L.Dense(64, activation='gelu')(f))
    return L.Dense(30)(L.LayerNormalization(epsilon=1e-5)(h))


layers('gpt', gpt, (9,), (0, 30), 'int32')


def vit(k, L, x):
    p = L.Reshape((16, 24))(L.Conv2D(24, 4, strides=4)(x))
    h = p
    for _ in range(2):
        a = L.LayerNormalization()(h)
        h = L.Add()([h, L.MultiHeadAttention(3, 8)(a, a)])
        h = L.Add()([h, L.Dense(24)(L.Dense(48, activation='gelu')(L.LayerNormalization()(h)))])
    return L.Dense(5, activation='softmax')(L.GlobalAveragePooling1D()(L.LayerNormalization()(h)))


layers('vit', vit, (16, 16, 3))

WORDS = ['paris', 'rome', 'oslo', 'bonn', 'lima', '']


def preprocessing(k, L, i):
    city, tags, code, age, text = i['city'], i['tags'], i['code'], i['age'], i['text']
    vocabulary = ['paris', 'rome', 'oslo']
    parts = [
        L.StringLookup(vocabulary=vocabulary, num_oov_indices=3, output_mode='one_hot')(city),
        L.StringLookup(vocabulary=vocabulary, mask_token='', output_mode='multi_hot')(tags),
        L.StringLookup(vocabulary=vocabulary, output_mode='count')(tags),
        L.IntegerLookup(vocabulary=[1, 5, 9], num_oov_indices=2, output_mode='one_hot')(code),
        L.Discretization(bin_boundaries=[0.0, 1.0, 2.5], output_mode='one_hot')(age),
        L.CategoryEncoding(num_tokens=12, output_mode='multi_hot')(code),
        L.Normalization(mean=[1.0], variance=[4.0])(age),
        L.CategoryEncoding(num_tokens=16, output_mode='one_hot')(L.Hashing(16, salt=1337)(city)),
        L.CategoryEncoding(num_tokens=16, output_mode='multi_hot')(L.Hashing(16, mask_value='')(tags)),
    ]
    vectorised = L.TextVectorization(max_tokens=20, output_mode='int', output_sequence_length=4, vocabulary=['the', 'cat', 'dog'])(text)
    parts.append(L.Flatten()(L.Embedding(20, 3)(vectorised)))
    floats = [L.Lambda(lambda t: tf.cast(t, tf.float32))(p) if k.__name__ == 'tf_keras' else k.ops.cast(p, 'float32') for p in parts]
    joined = L.Concatenate()(floats)
    return {'score': L.Dense(1, activation='sigmoid')(joined), 'features': joined}


TEXTS = ['The cat!', 'a DOG, the cat', 'bird', '']
functional('preprocessing', {'city': ('string', [1], WORDS), 'tags': ('string', [4], WORDS), 'code': ('int64', [1], (0, 11)), 'age': ('float32', [1], (-1, 4)), 'text': ('string', [1], TEXTS)}, preprocessing)


def text_modes(k, L, i):
    words = ['the', 'cat', 'dog', 'the cat']
    out = {}
    for mode in ('multi_hot', 'count', 'tf_idf'):
        extra = {'idf_weights': [0.5, 0.7, 1.1, 0.9]} if mode == 'tf_idf' else {}
        out[mode] = L.TextVectorization(output_mode=mode, ngrams=2, vocabulary=words, **extra)(i['text'])
    out['characters'] = L.TextVectorization(split='character', output_sequence_length=6, vocabulary=['a', 't', 'c'])(i['text'])
    return out


functional('text_modes', {'text': ('string', [1], TEXTS)}, text_modes, which=('tf_keras',))


def crossing(k, L, i):
    crossed = L.HashedCrossing(num_bins=32, output_mode='one_hot')((i['city'], i['code']))
    back = L.StringLookup(vocabulary=['paris', 'rome', 'oslo'], invert=True)(L.StringLookup(vocabulary=['paris', 'rome', 'oslo'])(i['city']))
    return {'crossed': L.Dense(3)(crossed), 'again': back}


functional('crossing', {'city': ('string', [1], WORDS), 'code': ('int64', [1], (0, 9))}, crossing, which=('tf_keras',))


def ids(*dims, high=20):
    return ('int64', list(dims), (0, high))


def din(k, L, i):
    """Deep interest network: attention of the candidate over a padded history."""
    ops = k.ops if hasattr(k, 'ops') else None
    table = L.Embedding(20, 8)
    item, history = table(i['item']), table(i['history'])
    query = L.Flatten()(item)
    repeated = L.RepeatVector(6)(query)
    scores = L.Dense(1)(L.Dense(8, activation='sigmoid')(L.Concatenate()([repeated, history, L.Subtract()([repeated, history]), L.Multiply()([repeated, history])])))
    mask = ops.cast(ops.expand_dims(ops.not_equal(i['history'], 0), -1), 'float32') if ops else L.Lambda(lambda h: tf.cast(tf.expand_dims(tf.not_equal(h, 0), -1), tf.float32))(i['history'])
    weighted = L.Flatten()(L.Dot(1)([L.Multiply()([scores, mask]), history]))
    joined = L.Concatenate()([query, weighted, i['dense']])
    return L.Dense(1, activation='sigmoid')(L.PReLU()(L.BatchNormalization()(L.Dense(16)(joined))))


functional('din', {'item': ids(1), 'history': ids(6), 'dense': ('float32', [3], (-1, 1))}, din)


def mmoe(k, L, i):
    """Experts shared by two tasks through gates."""
    x = L.Concatenate()([L.Flatten()(L.Embedding(20, 4)(i['user'])), L.Flatten()(L.Embedding(20, 4)(i['item']))])
    experts = L.Concatenate(axis=1)([L.Reshape((1, 6))(L.Dense(6, activation='relu')(x)) for _ in range(3)])
    out = {}
    for task in ('click', 'buy'):
        gate = L.Reshape((3, 1))(L.Dense(3, activation='softmax')(x))
        out[task] = L.Dense(1, activation='sigmoid')(L.Flatten()(L.Dot(1)([gate, experts])))
    return out


functional('mmoe', {'user': ids(1), 'item': ids(1)}, mmoe)


def cross_net(k, L, i):
    x0 = L.Concatenate()([L.Flatten()(L.Embedding(20, 4)(i['user'])), i['dense']])
    x = x0
    for _ in range(3):
        x = L.Add()([L.Multiply()([x0, L.Dense(7)(x)]), x])
    return L.Dense(1)(x)


functional('dcn', {'user': ids(1), 'dense': ('float32', [3], (-1, 1))}, cross_net)


def two_tower(k, L, i):
    user = L.UnitNormalization()(L.Dense(8)(L.Flatten()(L.Embedding(20, 6)(i['user']))))
    item = L.UnitNormalization()(L.Dense(8)(L.GlobalAveragePooling1D()(L.Embedding(20, 6, mask_zero=True)(i['items']))))
    return {'score': L.Dot(1)([user, item]), 'user_embedding': user}


functional('two_tower', {'user': ids(1), 'items': ids(5)}, two_tower)


def module(name, specs, build):
    """A tf.Module whose `predict` is given variables made by `build`."""

    def make(folder):
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        holder = tf.Module()
        predict = build(holder, rng)
        concrete = tf.function(predict).get_concrete_function(*[tf.TensorSpec(d, t, n) for n, (t, d, _) in specs.items()])
        path = os.path.join(folder, name, 'model')
        shutil.rmtree(path, ignore_errors=True)
        tf.saved_model.save(holder, path, signatures={'serving_default': concrete})
        record(folder, name, path, specs, np.random.default_rng(4))

    MODELS[name] = make


def weight(rng, *shape):
    return tf.Variable(rng.normal(0, 0.3, shape).astype(np.float32))


def greedy(h, rng):
    """Greedy decoding of a small recurrent model: a loop that feeds itself what it chose."""
    h.e, h.w, h.u = weight(rng, 12, 6), weight(rng, 12, 6), weight(rng, 6, 12)

    def predict(start, state):
        tokens = tf.TensorArray(tf.int32, size=5)
        token = start
        for i in tf.range(5):
            state = tf.tanh(tf.concat([tf.gather(h.e, token), state], 1) @ h.w)
            token = tf.argmax(state @ h.u, 1, output_type=tf.int32)
            tokens = tokens.write(i, token)
        return {'tokens': tf.transpose(tokens.stack()), 'state': state}

    return predict


module('greedy', {'start': ('int32', [None], (0, 12)), 'state': ('float32', [None, 6], (-1, 1))}, greedy)


def ragged(h, rng):
    """Bags of strings of different lengths, as ragged tensors."""
    h.e, h.w = weight(rng, 32, 6), weight(rng, 6, 2)

    def predict(tags):
        bags = tf.strings.split(tags, '|')
        found = tf.ragged.map_flat_values(lambda v: tf.gather(h.e, tf.strings.to_hash_bucket_fast(v, 32)), bags)
        mean = tf.reduce_mean(found, axis=1)
        return {'y': mean @ h.w, 'count': bags.row_lengths(), 'first': bags[:, :1].to_tensor('none', shape=[None, 1])}

    return predict


module('ragged', {'tags': ('string', [None], ['a|b', 'c', 'd|e|f', 'a'])}, ragged)


def sessions(h, rng):
    """Self-attentive recommendation: padded sequence, causal mask, top items."""
    h.items, h.pos = weight(rng, 30, 8), weight(rng, 6, 8)
    h.q, h.k, h.v = weight(rng, 8, 8), weight(rng, 8, 8), weight(rng, 8, 8)

    def predict(history):
        keep = tf.cast(history > 0, tf.float32)
        x = (tf.gather(h.items, history) * 8 ** 0.5 + h.pos) * keep[..., None]
        q, k, v = (tf.einsum('btd,de->bte', x, w) for w in (h.q, h.k, h.v))
        scores = tf.matmul(q, k, transpose_b=True) / 8 ** 0.5
        causal = tf.linalg.band_part(tf.ones_like(scores), -1, 0)
        scores = tf.where((causal > 0) & (keep[:, None, :] > 0), scores, -1e9)
        out = tf.nn.softmax(scores) @ v * keep[..., None]
        logits = tf.matmul(out[:, -1], h.items, transpose_b=True)
        values, top = tf.math.top_k(logits, 5)
        return {'top': top, 'values': values, 'score': tf.gather(logits, tf.argmax(logits, 1), batch_dims=1)}

    return predict


module('sasrec', {'history': ('int64', [None, 6], (0, 30))}, sessions)


def cin(h, rng):
    """xDeepFM's compressed interactions, fields through tf.split and Conv1D."""
    h.tables, h.filters = [weight(rng, 20, 4) for _ in range(3)], weight(rng, 1, 9, 5)

    def predict(ids):
        fields = tf.stack([tf.nn.embedding_lookup(t, ids[:, i]) for i, t in enumerate(h.tables)], 1)
        parts = tf.split(fields, 4 * [1], 2)
        outer = tf.reshape(tf.matmul(parts, parts, transpose_b=True), [4, -1, 9])
        mixed = tf.nn.conv1d(tf.transpose(outer, [1, 0, 2]), h.filters, 1, 'VALID')
        return {'y': tf.reduce_sum(tf.transpose(mixed, [0, 2, 1]), -1)}

    return predict


module('xdeepfm', {'ids': ('int64', [None, 3], (0, 20))}, cin)


def experts(h, rng):
    """A routed mixture of experts: rows partitioned, computed and stitched together."""
    h.gate, h.w = weight(rng, 6, 3), [weight(rng, 6, 4) for _ in range(3)]

    def predict(x):
        choice = tf.argmax(x @ h.gate, 1, output_type=tf.int32)
        parts = tf.dynamic_partition(x, choice, 3)
        places = tf.dynamic_partition(tf.range(tf.shape(x)[0]), choice, 3)
        return {'y': tf.reshape(tf.dynamic_stitch(places, [p @ w for p, w in zip(parts, h.w)]), [-1, 4])}

    return predict


module('experts', {'x': ('float32', [None, 6], (-1, 1))}, experts)


def weighted_bags(h, rng):
    h.e = weight(rng, 40, 5)

    def predict(line):
        pairs = tf.strings.split(line, ',').to_sparse()
        parts = tf.strings.split(pairs.values, ':').to_tensor('1')
        hashed = tf.strings.to_hash_bucket_fast(parts[:, 0], 40)
        weights = tf.strings.to_number(parts[:, 1])
        sp_ids = tf.SparseTensor(pairs.indices, hashed, pairs.dense_shape)
        sp_weights = tf.SparseTensor(pairs.indices, weights, pairs.dense_shape)
        return {c: tf.nn.embedding_lookup_sparse(h.e, sp_ids, sp_weights, combiner=c) for c in ('sum', 'mean', 'sqrtn')}

    return predict


module('weighted_bags', {'line': ('string', [None], ['a:1,b:0.5', 'c:2', 'd:1,e:3,f:0.25'])}, weighted_bags)


def csv_line(h, rng):
    """One CSV line per row, as EasyRec's `csv` inputs."""
    h.e, h.w = weight(rng, 25, 4), weight(rng, 6, 1)

    def predict(line):
        price, clicks, city = tf.io.decode_csv(line, [[0.0], [0], ['']], field_delim='\t')
        bucket = tf.raw_ops.Bucketize(input=price, boundaries=[1.0, 5.0, 10.0])
        crossed = tf.strings.to_hash_bucket_fast(tf.strings.join([tf.as_string(bucket), city], '_X_'), 25)
        x = tf.concat([tf.gather(h.e, crossed), price[:, None], tf.math.log1p(tf.cast(clicks, tf.float32))[:, None]], 1)
        return {'logit': tf.squeeze(x @ h.w, 1), 'city': tf.strings.upper(city)}

    return predict


module('csv_line', {'line': ('string', [None], ['1.5\t3\tparis', '\t7\trome', '12\t\t'])}, csv_line)


def wide_deep_examples():
    """What an estimator exported: serialized examples, a feature spec made of columns, a linear and a deep part."""
    fc = tf.feature_column
    age = fc.numeric_column('age')
    bucket = fc.bucketized_column(age, [18.0, 30.0, 50.0])
    city = fc.categorical_column_with_vocabulary_list('city', ['paris', 'rome', 'oslo'], num_oov_buckets=2)
    tags = fc.categorical_column_with_hash_bucket('tags', 30)
    weighted = fc.weighted_categorical_column(fc.categorical_column_with_identity('ids', 10, default_value=0), 'ids_weight')
    crossed = fc.crossed_column([bucket, 'city'], 40)
    deep = [age, fc.embedding_column(tags, 4, combiner='mean'), fc.indicator_column(city), fc.embedding_column(weighted, 3, combiner='sqrtn')]
    wide = [bucket, city, tags, crossed]
    examples = v1.placeholder(tf.string, [None], 'input_example_tensor')
    features = v1.parse_example(examples, fc.make_parse_example_spec(deep + wide))
    v1.enable_resource_variables()
    x = v1.feature_column.input_layer(features, deep)
    linear = v1.feature_column.linear_model(features, wide)
    w1 = v1.get_variable('w1', [x.shape[1], 8])
    w2 = v1.get_variable('w2', [8, 1])
    logits = tf.nn.relu(x @ w1) @ w2 + linear
    two = tf.concat([tf.zeros_like(logits), logits], 1)
    ids = tf.argmax(two, 1)
    return {'examples': examples}, {'logits': logits, 'probabilities': tf.nn.softmax(two), 'class_ids': tf.expand_dims(ids, 1), 'classes': tf.as_string(tf.expand_dims(ids, 1))}, v1.tables_initializer()


def example(i):
    f = tf.train.Feature
    floats, ints, texts = (lambda v: f(float_list=tf.train.FloatList(value=v))), (lambda v: f(int64_list=tf.train.Int64List(value=v))), (lambda v: f(bytes_list=tf.train.BytesList(value=[t.encode() for t in v])))
    feature = {'age': floats([15.0 + 9 * i]), 'city': texts([['paris', 'lima', 'oslo', 'rome'][i % 4]]), 'tags': texts(['x', 'y', 'z'][: i % 4]), 'ids': ints([i % 10, 3]), 'ids_weight': floats([0.5, 1.0 + i])}
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


v1_model('v1_wide_deep_examples', wide_deep_examples, {'examples': ('string', [None], [example(i) for i in range(6)])})


def conv_v1():
    """Batch norm and dropout behind placeholders with defaults, as graphs of TensorFlow 1 have them."""
    v1.disable_resource_variables()
    rng = np.random.default_rng(2)
    x = v1.placeholder(tf.float32, [None, 10, 10, 3], 'x')
    training = v1.placeholder_with_default(False, [], 'training')
    k = v1.get_variable('k', initializer=rng.normal(0, 0.3, (3, 3, 3, 6)).astype(np.float32))
    scale = v1.get_variable('scale', initializer=rng.uniform(0.5, 2, 6).astype(np.float32))
    offset = v1.get_variable('offset', initializer=rng.normal(0, 1, 6).astype(np.float32))
    mean = v1.get_variable('mean', initializer=rng.normal(0, 1, 6).astype(np.float32))
    variance = v1.get_variable('variance', initializer=rng.uniform(0.5, 2, 6).astype(np.float32))
    h = tf.nn.conv2d(x, k, [1, 2, 2, 1], 'SAME')
    train = lambda: v1.nn.fused_batch_norm(h, scale, offset, is_training=True)[0]
    test = lambda: v1.nn.fused_batch_norm(h, scale, offset, mean, variance, is_training=False)[0]
    h = tf.nn.leaky_relu(tf.cond(training, train, test))
    h = tf.cond(training, lambda: v1.nn.dropout(h, 0.5), lambda: tf.identity(h))
    h = tf.nn.lrn(tf.nn.max_pool2d(h, 2, 2, 'VALID'))
    w = v1.get_variable('w', initializer=rng.normal(0, 0.3, (24, 4)).astype(np.float32))
    return {'x': x}, {'y': tf.nn.log_softmax(tf.reshape(h, [-1, 24]) @ w)}, None


def old_control(build):
    def wrapped():
        v1.disable_control_flow_v2()
        try:
            return build()
        finally:
            v1.enable_control_flow_v2()

    return wrapped


v1_model('v1_conv', conv_v1, {'x': ('float32', [None, 10, 10, 3], (-1, 1))})
v1_model('v1_conv_switch', old_control(conv_v1), {'x': ('float32', [None, 10, 10, 3], (-1, 1))})


def bidirectional_v1():
    """Two loops over time, one of them backwards by sequence length, and attention over what they give."""
    v1.disable_resource_variables()
    x = v1.placeholder(tf.float32, [None, None, 4], 'x')
    n = v1.placeholder(tf.int32, [None], 'n')
    time = tf.shape(x)[1]

    def run(inputs, scope):
        with v1.variable_scope(scope):
            w = v1.get_variable('w', [4 + 5, 20])
            b = v1.get_variable('b', [20], initializer=v1.constant_initializer(0.1))
        array = tf.TensorArray(tf.float32, size=time).unstack(tf.transpose(inputs, [1, 0, 2]))

        def step(t, c, h, out):
            i, j, f, o = tf.split(tf.concat([array.read(t), h], 1) @ w + b, 4, 1)
            c2 = c * tf.sigmoid(f + 1.0) + tf.sigmoid(i) * tf.tanh(j)
            h2 = tf.tanh(c2) * tf.sigmoid(o)
            live = tf.expand_dims(t < n, 1)
            return t + 1, tf.where(live, c2, c), tf.where(live, h2, h), out.write(t, tf.where(live, h2, tf.zeros_like(h2)))

        zero = tf.zeros([tf.shape(x)[0], 5])
        out = tf.while_loop(lambda t, *_: t < time, step, [0, zero, zero, tf.TensorArray(tf.float32, size=time)])[3]
        return tf.transpose(out.stack(), [1, 0, 2])

    forward = run(x, 'fw')
    backward = tf.reverse_sequence(run(tf.reverse_sequence(x, n, 1), 'bw'), n, 1)
    h = tf.concat([forward, backward], 2)
    h.set_shape([None, None, 10])
    v = v1.get_variable('v', [10, 1])
    scores = tf.squeeze(tf.tensordot(h, v, 1), 2)
    scores = tf.where(tf.sequence_mask(n, time), scores, tf.fill(tf.shape(scores), -1e9))
    return {'x': x, 'n': n}, {'y': tf.reduce_sum(h * tf.expand_dims(tf.nn.softmax(scores), 2), 1)}, None


v1_model('v1_bidirectional', bidirectional_v1, {'x': ('float32', [None, 6, 4], (-1, 1)), 'n': ('int32', [None], (1, 7))})
v1_model('v1_bidirectional_switch', old_control(bidirectional_v1), {'x': ('float32', [None, 6, 4], (-1, 1)), 'n': ('int32', [None], (1, 7))})


def cases_v1():
    v1.disable_resource_variables()
    x, mode = v1.placeholder(tf.float32, [None, 3], 'x'), v1.placeholder(tf.int32, [None], 'mode')
    m = mode[0]
    w = v1.get_variable('w', [3, 3])
    y = v1.case([(tf.equal(m, 0), lambda: x @ w), (tf.equal(m, 1), lambda: x * 2.0)], default=lambda: tf.nn.relu(x), exclusive=False)
    z = tf.cond(tf.reduce_sum(x) > 0.0, lambda: tf.cond(m > 0, lambda: y + 1.0, lambda: y - 1.0), lambda: -y)
    return {'x': x, 'mode': mode}, {'y': y, 'z': z}, None


v1_model('v1_cases', cases_v1, {'x': ('float32', [None, 3], (-1, 1)), 'mode': ('int32', [None], (0, 3))})
v1_model('v1_cases_switch', old_control(cases_v1), {'x': ('float32', [None, 3], (-1, 1)), 'mode': ('int32', [None], (0, 3))})


def partitioned_v1():
    """Embeddings over parameter servers: mod and div, sparse bags, some rows without ids."""
    v1.disable_resource_variables()
    line = v1.placeholder(tf.string, [None], 'line')
    sparse = v1.string_split(line, ' ', skip_empty=True)
    ids = tf.SparseTensor(sparse.indices, tf.strings.to_hash_bucket_fast(sparse.values, 50), sparse.dense_shape)
    out = {}
    for strategy in ('mod', 'div'):
        table = v1.get_variable(strategy, [50, 3], partitioner=v1.fixed_size_partitioner(4))
        out[strategy] = v1.nn.safe_embedding_lookup_sparse(list(table), ids, combiner='sum', partition_strategy=strategy)
    return {'line': line}, out, None


v1_model('v1_partitioned', partitioned_v1, {'line': ('string', [None], ['a b', '', 'c', 'a d e'])})

if __name__ == '__main__':
    write_models(MODELS)
