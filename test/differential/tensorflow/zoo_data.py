"""More models for the zoo, each with an empty batch: recommenders written as EasyRec and as TensorFlow 1 wrote them, recall, layers over time.

    python zoo_data.py FOLDER [name…]
"""


import tensorflow as tf
from cases import v1
from zoo import save_keras, v1_model, write_models
import zoo
import zoo_layers
from zoo_layers import functional, layers, module, old_control, weight

MODELS = {}
zoo.MODELS = MODELS
zoo_layers.MODELS = MODELS
zoo.BATCHES = (0, 1, 4)


def strings(*options):
    return ('string', [None], list(options))


def placeholders(names):
    return {n: v1.placeholder(tf.string, [None], n) for n in names}


def parts(name, shape, count):
    return v1.get_variable(name, shape, partitioner=v1.fixed_size_partitioner(count))


def bag(x, separator, buckets):
    sparse = v1.string_split(x, separator)
    return tf.SparseTensor(sparse.indices, tf.strings.to_hash_bucket_fast(sparse.values, buckets), sparse.dense_shape)


def tower(x, sizes, name):
    for i, size in enumerate(sizes):
        w = v1.get_variable(f'{name}/w{i}', [x.shape[-1], size])
        b = v1.get_variable(f'{name}/b{i}', [size], initializer=v1.random_uniform_initializer(-0.1, 0.1))
        x = tf.tensordot(x, w, 1) + b
        x = tf.nn.relu(x) if i + 1 < len(sizes) else x
    return x


def interest():
    """Two tasks over the attention of a candidate to packed sequences, with weighted bags and partitioned tables."""
    v1.disable_resource_variables()
    given = placeholders(['user_id', 'item_id', 'clicks', 'cates', 'price', 'tags'])
    items, cates = parts('items', [40, 6], 3), v1.get_variable('cates', [20, 4])
    look = lambda x: v1.nn.embedding_lookup(items, x, partition_strategy='div')
    query = tf.concat([look(tf.strings.to_hash_bucket_fast(given['item_id'], 40)), tf.gather(cates, tf.zeros_like(tf.strings.length(given['item_id'])))], 1)

    def history(x, buckets, table):
        ids = tf.sparse.to_dense(bag(x, '|', buckets), default_value=-1)
        return table(tf.maximum(ids, tf.constant(0, tf.int64))), ids >= 0

    clicked, mask = history(given['clicks'], 40, look)
    kinds, _ = history(given['cates'], 20, lambda i: tf.gather(cates, i))
    past = tf.concat([clicked, kinds], 2)
    wide = tf.tile(query[:, None], [1, tf.shape(past)[1], 1])
    scores = tf.transpose(tower(tf.concat([wide, past, wide - past, wide * past], 2), [8, 1], 'attention'), [0, 2, 1])
    scores = tf.where(mask[:, None], scores, tf.fill(tf.shape(scores), -4294967295.0))
    read = tf.reshape(tf.matmul(tf.nn.softmax(scores / 10**0.5), past), [-1, 10])
    pairs = v1.string_split(given['tags'], ',')
    pair = tf.reshape(v1.string_split(pairs.values, ':').values, [-1, 2])
    ids = tf.SparseTensor(pairs.indices, tf.strings.to_hash_bucket_fast(pair[:, 0], 25), pairs.dense_shape)
    weights = tf.SparseTensor(pairs.indices, tf.strings.to_number(pair[:, 1]), pairs.dense_shape)
    bags = [v1.nn.safe_embedding_lookup_sparse([v1.get_variable(f'tags_{c}', [25, 3])], ids, weights, combiner=c) for c in ('sum', 'mean', 'sqrtn')]
    count = tf.sparse.reduce_sum(tf.SparseTensor(pairs.indices, tf.ones([tf.shape(pairs.values)[0]]), pairs.dense_shape), 1)
    price = tf.math.log1p(tf.strings.to_number(given['price']))[:, None]
    users = v1.nn.embedding_lookup(parts('users', [30, 4], 2), tf.strings.to_hash_bucket_fast(given['user_id'], 30))
    x = tf.concat([query, read, *bags, price, users, tf.reshape(count, [-1, 1])], 1)
    ctr, cvr = (tower(x, [8, 1], task)[:, 0] for task in ('ctr', 'cvr'))
    return given, {'logits_ctr': ctr, 'probs_ctr': tf.sigmoid(ctr), 'probs_cvr': tf.sigmoid(cvr), 'probs_ctcvr': tf.sigmoid(ctr) * tf.sigmoid(cvr)}, None


three = strings('a|b|c', 'd|e|f')
INTEREST = {'user_id': strings('u1', 'u2', ''), 'item_id': strings('i1', 'i2', 'i3'), 'clicks': three, 'cates': three, 'price': strings('1.5', '20', '0'), 'tags': strings('a:1,b:0.5', 'c:2', 'd:.25,e:1,f:3')}
v1_model('easyrec_interest', interest, INTEREST)
v1_model('easyrec_interest_frozen', interest, INTEREST, frozen=True)


def projected():
    """Layers of TensorFlow 1 over sequences of their own lengths."""
    v1.disable_resource_variables()
    from tf_keras.src.layers.rnn import legacy_cells as cells

    x, n = v1.placeholder(tf.float32, [None, None, 3], 'x'), v1.placeholder(tf.int32, [None], 'n')
    (forward, backward), state = v1.nn.bidirectional_dynamic_rnn(cells.LSTMCell(4, num_proj=3, use_peepholes=True), cells.GRUCell(5), x, n, dtype=tf.float32)
    y, last = v1.nn.dynamic_rnn(cells.BasicRNNCell(8), tf.concat([forward, backward], 2), n, dtype=tf.float32)
    return {'x': x, 'n': n}, {'y': y, 'last': last, 'c': state[0].c, 'h': state[1]}, None


SEQUENCES = {'x': ('float32', [None, 5, 3], (-1, 1)), 'n': ('int32', [None], (1, 6))}
v1_model('v1_projected', old_control(projected), SEQUENCES)


def recall(h, rng):
    """The best items that were not seen, by name."""
    h.items, h.w = weight(rng, 50, 8), weight(rng, 8, 8)
    h.names = tf.Variable([f'item{i}' for i in range(50)])

    def predict(user, seen):
        scores = user @ h.w @ tf.transpose(h.items)
        places = tf.stack([tf.repeat(tf.range(tf.shape(seen)[0]), 3), tf.reshape(seen, [-1])], 1)
        scores = tf.tensor_scatter_nd_update(scores, places, tf.fill([tf.size(seen)], -1e9))
        values, best = tf.math.top_k(scores, 7)
        return {'values': values, 'best': best, 'names': tf.gather(h.names, best), 'rank': tf.argsort(tf.argsort(scores, direction='DESCENDING'))}

    return predict


module('recall', {'user': ('float32', [None, 8], (-1, 1)), 'seen': ('int32', [None, 3], (0, 50))}, recall)


def attention_of_ragged(h, rng):
    """Bags that the graph makes of padded rows, weighed by what it computes."""
    h.e, h.w = weight(rng, 30, 6), weight(rng, 6, 1)

    def predict(ids, item):
        rows = tf.RaggedTensor.from_tensor(ids, padding=0)
        found = tf.gather(h.e, rows)
        scores = rows.with_values(tf.exp(tf.squeeze(tf.matmul(found.flat_values, h.w), 1)))
        shares = scores / tf.expand_dims(tf.reduce_sum(scores, 1), 1)
        pooled = tf.math.unsorted_segment_sum(found.flat_values * shares.flat_values[:, None], rows.value_rowids(), rows.nrows())
        return {'pooled': pooled, 'shares': shares.to_tensor(), 'y': tf.reduce_sum(pooled * tf.gather(h.e, item), 1)}

    return predict


module('ragged_attention', {'ids': ('int64', [None, 4], (1, 30)), 'item': ('int64', [None], (0, 30))}, attention_of_ragged)
layers('over_time', lambda k, L, x: L.Concatenate()([L.LSTM(4)(x), L.Bidirectional(L.GRU(3))(x), L.LSTM(2, go_backwards=True)(x)]), (6, 3))
layers('over_free_time', lambda k, L, x: L.TimeDistributed(L.Dense(3))(L.GRU(4, return_sequences=True)(x)), (None, 4), which=('keras',))


def started(k, L, i):
    """Layers that begin with a state a request gives."""
    x, h = i['x'], i['h']
    return L.Concatenate()([L.LSTM(5)(x, initial_state=[h, h]), L.GRU(5)(x, initial_state=h), L.SimpleRNN(5)(x, initial_state=h)])


functional('started', {'x': ('float32', [6, 3], (-1, 1)), 'h': ('float32', [5], (-1, 1))}, started, which=('keras',))


def quantised(folder):
    """Weights of int8, as `quantize` of Keras 3 leaves them."""
    import keras

    keras.utils.set_random_seed(1)
    x = keras.Input([16], name='x')
    net = keras.Model(x, keras.layers.Dense(4)(keras.layers.Dense(8, activation='relu')(x)))
    net.quantize('int8')
    save_keras(folder, 'quantised', net, {'x': ('float32', [None, 16], (-1, 1))}, perturbed=False)


MODELS['quantised'] = quantised

if __name__ == '__main__':
    write_models(MODELS)
