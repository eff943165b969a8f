"""Makes the SavedModels of this folder with EasyRec's own trainer and exporter, and TensorFlow's answers to texts.

EasyRec is alibaba/EasyRec at bd230cb1a3eeb1112f35597aede4c23880804d88 (its .py, .proto and .config files, protos compiled with
protoc 21), TensorFlow 2.12.1, numpy 1.23.5, protobuf 3.20.3, tensorflow_probability 0.20.1. The features of `rtp`, `line` and `dssm` are
those of EasyRec's samples/rtp_fg/fg.json, with fewer buckets. Texts of features are made here, feature by feature, after
docs/source/feature/fg_docs/*.md and rtp_fg.md; nothing of the code under test is used.

    PYTHONPATH=<EasyRec> python generate.py <EasyRec>
"""
import glob, json, os, random, shutil, sys, tempfile

os.environ['CUDA_VISIBLE_DEVICES'] = ''
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import numpy as np
import tensorflow as tf
from easy_rec.python import main as easy_rec
from easy_rec.python.utils import config_util, fg_util

easyrec_home = os.path.abspath(sys.argv[1])
here = os.path.dirname(os.path.abspath(__file__))
B, C, D, E = '\x02', '\x03', '\x1d', '\x05'
rng = random.Random(20260316)


# ---- features -------------------------------------------------------------------------------------------------------

def f32(value):
  """The shortest text that is the same float32."""
  text = np.format_float_positional(np.float32(value), unique=True, trim='-')
  return text


def values_of(value, separator=D):
  return [part for part in str(value).split(separator) if part != ''] if value not in (None, '') else []


class Rtp:
  """One row of features as texts; `prefix`: what RTP FG puts in front of every id, unless need_prefix says otherwise."""

  def __init__(self, prefix):
    self.prefix = prefix

  def name(self, feature):
    return feature['feature_name'] + '_' if feature.get('need_prefix', self.prefix) else ''

  def text(self, feature, row):
    get = lambda reference: row.get(reference.split(':')[1])
    kind, default = feature['feature_type'], feature.get('default_value', '')
    if kind == 'id_feature':
      found = [self.name(feature) + v for v in values_of(get(feature['expression']))]
      return C.join(found) or default
    if kind == 'combo_feature':
      lists = [values_of(get(e)) for e in feature['expression']]
      found = ['']
      for values in lists:
        found = [a + ('_' if a else '') + v for a in found for v in values]
      return C.join(self.name(feature) + v for v in found) or default
    if kind == 'raw_feature':
      found = values_of(get(feature['expression'])) or values_of(default or '0')
      dim = feature.get('value_dimension', 1)
      found = (found * dim)[:dim] if len(found) == 1 else found
      bounds = feature.get('bucketize_boundaries')
      if bounds:
        return C.join(str(sum(float(v) >= float(b) for b in bounds.split(','))) for v in found)
      return C.join(f32(float(v)) for v in found)
    if kind == 'lookup_feature':
      table = dict(kv.split(':', 1) for kv in values_of(get(feature['map'])))
      hits = [(k, table[k]) for k in values_of(get(feature['key'])) if k in table]
      if feature.get('needDiscrete', True):
        if feature.get('needWeighting'):
          return C.join(self.name(feature) + k + E + f32(float(v)) for k, v in hits)
        key = lambda k: k + '_' if feature.get('needKey', True) else ''
        return C.join(self.name(feature) + key(k) + v for k, v in hits) or default
      return f32(sum(float(v) for _, v in hits)) if hits else default or '0'
    if kind == 'match_feature':
      table = {}
      for outer in str(get(feature['user']) or '').split('|'):
        if '^' in outer:
          key, inner = outer.split('^')
          table[key] = dict(kv.split(':') for kv in inner.split(','))
      category = 'ALL' if feature['category'] == 'ALL' else str(get(feature['category']))
      item = str(get(feature['item']))
      hit = table.get(category, {}).get(item)
      if feature.get('needDiscrete', True):
        return self.name(feature) + '_'.join([category, item, hit]) if hit is not None else default
      return f32(float(hit)) if hit is not None else default or '0'
    raise ValueError(kind)

  def sequence(self, group, feature, row, catalogue):
    name = group['sequence_name']
    side, field = feature['expression'].split(':')
    ids = values_of(row.get(group['sequence_pk'].split(':')[1]), ';')
    if side == 'item':
      steps = [catalogue.get(i, {}).get(field) for i in ids]
    else:
      steps = str(row.get('%s__%s' % (name, field)) or '').split(';')
    steps = steps[:group['sequence_length']] or [None]
    default = feature.get('default_value') or '0'
    if feature['feature_type'] == 'raw_feature':
      return C.join(f32(float(default if s in (None, '') else s)) for s in steps)
    return C.join(default if s in (None, '') else self.name(feature) + str(s) for s in steps)

  def texts(self, fg, row, catalogue):
    texts = {}
    for feature in fg['features']:
      if 'sequence_name' in feature:
        for member in feature['features']:
          texts[feature['sequence_name'] + '__' + member['feature_name']] = self.sequence(feature, member, row, catalogue)
      else:
        texts[feature['feature_name']] = self.text(feature, row)
    return texts


# ---- data -----------------------------------------------------------------------------------------------------------

def item(i):
  return {
      'adgroup_id': str(100000 + i), 'cate_id': str(rng.randrange(12)), 'campaign_id': str(rng.randrange(20)),
      'customer': '' if i == 3 else str(rng.randrange(30)), 'brand': str(rng.randrange(9)), 'pid': '430548_100%d' % (i % 3),
      'price': '' if i == 5 else str(round(rng.uniform(1, 90), 2)),
      'vec': D.join(str(round(rng.uniform(-1, 1), 3)) for _ in range(3)), 'colours': D.join(rng.sample(['red', 'green', 'blue'], i % 3)),
  }


def user(i):
  pick = lambda n: str(rng.randrange(n))
  return {
      'user_id': 'u%d' % i, 'cms_segid': pick(20), 'cms_group_id': pick(6), 'age_level': '' if i % 7 == 6 else pick(7),
      'pvalue_level': pick(4), 'shopping_level': pick(3), 'occupation': pick(2), 'new_user_class_level': pick(5),
      'tag_category_list': D.join('%s:%s' % (c, rng.choice(['1', '0.25', '3.5'])) for c in rng.sample(range(12), rng.randrange(5))),
      'tag_brand_list': D.join('%d:%d' % (b, rng.randrange(1, 9)) for b in rng.sample(range(9), rng.randrange(4))),
      'brand_hits': '|'.join('%d^%s' % (c, ','.join('%d:%s' % (b, rng.choice(['2', '0.5'])) for b in rng.sample(range(9), 4)))
                             for c in rng.sample(range(12), 8)),
      'click_seq': ';'.join('item_%d' % rng.randrange(26) for _ in range(rng.randrange(7))),
      'click_seq__ts': '',
      'hour': pick(24),
  }


catalogue = {'item_%d' % i: item(i) for i in range(24)}
users = [user(i) for i in range(40)]
for row in users:
  steps = len(values_of(row['click_seq'], ';'))
  row['click_seq__ts'] = ';'.join(str(round(rng.uniform(0, 3), 2)) for _ in range(steps))


# ---- models ---------------------------------------------------------------------------------------------------------

sample = json.load(open(os.path.join(easyrec_home, 'samples/rtp_fg/fg.json')))
for f in sample['features']:
  f['embedding_dim'] = 4
  if 'hash_bucket_size' in f:
    f['hash_bucket_size'] = min(f['hash_bucket_size'], 50)
sample['embedding_dim'] = 4

bucketized = {'features': [dict(f) for f in sample['features']] + [
    {'feature_type': 'match_feature', 'feature_name': 'brand_hit', 'user': 'user:brand_hits', 'category': 'item:cate_id',
     'item': 'item:brand', 'matchType': 'hit', 'hash_bucket_size': 50, 'embedding_dim': 4, 'group': 'combo'},
    {'feature_type': 'lookup_feature', 'feature_name': 'cate_weight', 'map': 'user:tag_category_list', 'key': 'item:cate_id',
     'needWeighting': True, 'hash_bucket_size': 50, 'embedding_dim': 4, 'group': 'combo'},
    {'feature_type': 'combo_feature', 'feature_name': 'age_brand', 'expression': ['user:age_level', 'item:brand'],
     'hash_bucket_size': 50, 'embedding_dim': 4, 'group': 'combo'},
], 'embedding_dim': 4}
for f in bucketized['features']:
  if f['feature_name'] == 'price':
    f['bucketize_boundaries'] = '10,20,30,40,50,60'

rich = {'features': [
    {'feature_type': 'id_feature', 'feature_name': 'user_id', 'expression': 'user:user_id'},
    {'feature_type': 'id_feature', 'feature_name': 'age', 'expression': 'user:age_level', 'default_value': '0'},
    {'feature_type': 'id_feature', 'feature_name': 'hour', 'expression': 'context:hour', 'default_value': '0'},
    {'feature_type': 'id_feature', 'feature_name': 'brand', 'expression': 'item:brand', 'need_prefix': False},
    {'feature_type': 'id_feature', 'feature_name': 'cate', 'expression': 'item:cate_id', 'need_prefix': True},
    {'feature_type': 'id_feature', 'feature_name': 'colours', 'expression': 'item:colours'},
    {'feature_type': 'id_feature', 'feature_name': 'likes', 'expression': 'user:tag_category_list'},
    {'feature_type': 'raw_feature', 'feature_name': 'price', 'expression': 'item:price', 'default_value': '7.5'},
    {'feature_type': 'raw_feature', 'feature_name': 'vec', 'expression': 'item:vec', 'value_dimension': 3},
    {'feature_type': 'lookup_feature', 'feature_name': 'cate_score', 'map': 'user:tag_category_list', 'key': 'item:cate_id',
     'needDiscrete': False, 'default_value': '0'},
    {'feature_type': 'lookup_feature', 'feature_name': 'brand_tag', 'map': 'user:tag_brand_list', 'key': 'item:brand',
     'needDiscrete': True, 'needKey': False, 'default_value': ''},
    {'sequence_name': 'click_seq', 'sequence_length': 5, 'sequence_delim': ';', 'sequence_pk': 'user:click_seq', 'features': [
        {'feature_type': 'id_feature', 'feature_name': 'brand', 'expression': 'item:brand', 'default_value': '-1'},
        {'feature_type': 'id_feature', 'feature_name': 'cate', 'expression': 'item:cate_id'},
        {'feature_type': 'raw_feature', 'feature_name': 'ts', 'expression': 'user:ts', 'default_value': '0'},
    ]},
]}


def common(input_type, fields, extra=''):
  return '''
train_config { optimizer_config { adam_optimizer { learning_rate { constant_learning_rate { learning_rate: 0.01 } } }
  use_moving_average: false } num_steps: 3 sync_replicas: false log_step_count_steps: 100 }
eval_config { metrics_set { auc {} } }
data_config { batch_size: 32 label_fields: "clk" %s input_type: %s separator: "\\002" rtp_separator: ";" selected_cols: "%s" %s }
%s''' % ('label_fields: "buy"' if '0,1,2' in fields else '', input_type, fields.split('|')[0], fields.split('|')[1], extra)


def towers(groups):
  text = 'model_config { model_class: "MultiTower"\n'
  for name, members in groups.items():
    text += '  feature_groups { group_name: "%s" %s wide_deep: DEEP }\n' % (name, ' '.join('feature_names: "%s"' % m for m in members))
  text += '  multi_tower { %s final_dnn { hidden_units: [8, 4] } l2_regularization: 1e-6 } embedding_regularization: 1e-6 }\n' % ' '.join(
      'towers { input: "%s" dnn { hidden_units: [8, 6] } }' % name for name in groups)
  return text


def grouped(fg):
  groups = {}
  for f in fg['features']:
    groups.setdefault(f['group'], []).append(f['feature_name'])
  return groups


rich_fields = '''
  input_fields { input_name: "clk" input_type: INT32 } input_fields { input_name: "buy" input_type: INT32 }
  input_fields { input_name: "user_id" } input_fields { input_name: "age" input_type: INT64 default_val: "0" }
  input_fields { input_name: "hour" input_type: INT32 } input_fields { input_name: "brand" } input_fields { input_name: "cate" }
  input_fields { input_name: "colours" } input_fields { input_name: "likes" }
  input_fields { input_name: "price" input_type: FLOAT default_val: "7.5" } input_fields { input_name: "vec" }
  input_fields { input_name: "cate_score" input_type: DOUBLE } input_fields { input_name: "brand_tag" }
  input_fields { input_name: "click_seq__brand" } input_fields { input_name: "click_seq__cate" } input_fields { input_name: "click_seq__ts" }
'''
rich_features = '''
feature_config {
  features { input_names: "user_id" feature_type: IdFeature hash_bucket_size: 40 embedding_dim: 4 }
  features { input_names: "age" feature_type: IdFeature num_buckets: 8 embedding_dim: 4 }
  features { input_names: "hour" feature_type: IdFeature num_buckets: 24 embedding_dim: 4 }
  features { input_names: "brand" feature_type: IdFeature hash_bucket_size: 20 embedding_dim: 4 embedding_name: "brand" }
  features { input_names: "cate" feature_type: IdFeature hash_bucket_size: 20 embedding_dim: 4 embedding_name: "cate" }
  features { input_names: "colours" feature_type: TagFeature vocab_list: ["red", "green"] embedding_dim: 4 separator: "\\003" }
  features { input_names: "likes" feature_type: TagFeature hash_bucket_size: 20 embedding_dim: 4 separator: "\\003" kv_separator: ":" combiner: "mean" }
  features { input_names: "price" feature_type: RawFeature boundaries: [5, 20, 40, 70] embedding_dim: 4 }
  features { input_names: "vec" feature_type: RawFeature raw_input_dim: 3 separator: "\\003" embedding_dim: 4 }
  features { input_names: "cate_score" feature_type: RawFeature min_val: 0 max_val: 4 }
  features { input_names: "brand_tag" feature_type: TagFeature hash_bucket_size: 20 embedding_dim: 4 separator: "\\003" }
  features { feature_name: "age_x_brand" input_names: ["user_id", "brand"] feature_type: ComboFeature hash_bucket_size: 40 embedding_dim: 4 }
  features { input_names: "click_seq__brand" feature_type: SequenceFeature hash_bucket_size: 20 embedding_dim: 4 separator: "\\003" embedding_name: "brand" }
  features { input_names: "click_seq__cate" feature_type: SequenceFeature hash_bucket_size: 20 embedding_dim: 4 separator: "\\003" embedding_name: "cate" }
  features { input_names: "click_seq__ts" feature_type: SequenceFeature sub_feature_type: RawFeature boundaries: [0.5, 1, 2] embedding_dim: 4 separator: "\\003" }
}
'''
rich_model = '''
model_config { model_class: "DBMTL"
  feature_groups { group_name: "all" feature_names: ["user_id", "age", "hour", "brand", "cate", "colours", "likes", "price", "vec",
    "cate_score", "brand_tag", "age_x_brand"] wide_deep: DEEP
    sequence_features { group_name: "click" allow_key_search: true tf_summary: false
      seq_att_map { key: "brand" key: "cate" hist_seq: "click_seq__brand" hist_seq: "click_seq__cate" } } }
  dbmtl { bottom_dnn { hidden_units: [12] }
    task_towers { tower_name: "ctr" label_name: "clk" loss_type: CLASSIFICATION metrics_set { auc {} } dnn { hidden_units: [8] } relation_dnn { hidden_units: [6] } weight: 1 }
    task_towers { tower_name: "cvr" label_name: "buy" loss_type: CLASSIFICATION metrics_set { auc {} } dnn { hidden_units: [8] } relation_tower_names: ["ctr"] relation_dnn { hidden_units: [6] } weight: 1 }
    l2_regularization: 1e-6 } embedding_regularization: 1e-6 }
'''
fg_json = 'fg_json_path: "FG"\n'
asset = 'asset_files: "FG"'
dssm = '''model_config { model_class: "DSSM"
  feature_groups { group_name: "user" feature_names: ["user_id", "age_level", "user_tag_cate"] wide_deep: DEEP }
  feature_groups { group_name: "item" feature_names: ["adgroup_id", "cate_id", "brand"] wide_deep: DEEP }
  dssm { user_tower { id: "user_id" dnn { hidden_units: [8, 4] } } item_tower { id: "adgroup_id" dnn { hidden_units: [8, 4] } }
    simi_func: COSINE scale_simi: false l2_regularization: 1e-6 } loss_type: CLASSIFICATION embedding_regularization: 5e-6 }
'''
models = {
    # Two towers, whose embeddings are outputs as texts as well.
    'dssm': (Rtp(True), sample, fg_json + common('RTPInput', '0,1|') + dssm + 'export_config { multi_placeholder: true }'),
    # As rtp_fg.md says: fields and features of the configuration come from fg.json, one placeholder for each.
    'rtp': (Rtp(True), bucketized, fg_json + common('RTPInput', '0,1|') + towers(grouped(bucketized)) + 'export_config { multi_placeholder: true }'),
    # One placeholder for a line of all.
    'line': (Rtp(True), sample, fg_json + common('RTPInput', '0,1|') + towers(grouped(sample)) + 'export_config { multi_placeholder: false }'),
    # Numbers, tags with weights, vectors, sequences, two scores; placeholders with the names of fields.
    'rich': (Rtp(False), rich, common('RTPInput', '0,1,2|' + rich_fields, rich_features) + rich_model +
             'export_config { multi_placeholder: true placeholder_named_by_input: true filter_inputs: false %s }' % asset),
    # Placeholders of several values, that the graph need not split.
    'lists': (Rtp(False), rich, common('RTPInput', '0,1,2|' + rich_fields, rich_features.replace('kv_separator: ":" ', '')) + rich_model +
              'export_config { multi_placeholder: true auto_multi_value: true %s }' % asset),
}


def field_order(fg):
  return [n for f in fg['features'] for n in (
      [f['sequence_name'] + '__' + m['feature_name'] for m in f['features']] if 'sequence_name' in f else [f['feature_name']])]


def requests():
  for who, ids in [(3, ['item_0', 'item_3', 'item_5', 'item_9']), (6, ['item_1']), (11, ['item_20', 'item_8', 'item_2'])]:
    yield users[who], ids


def build(name):
  fg_texts, fg, config = models[name]
  work = tempfile.mkdtemp()
  labels = ['clk', 'buy'] if 'label_fields: "buy"' in config else ['clk']
  with open(work + '/fg.json', 'w') as out:
    json.dump(fg, out, indent=1)
  order = field_order(fg)
  with open(work + '/train.txt', 'w') as out:
    for _ in range(96):
      one, row = rng.choice(list(catalogue)), dict(rng.choice(users))
      row.update(catalogue[one])
      texts = fg_texts.texts(fg, row, catalogue)
      out.write(';'.join([str(rng.randrange(2)) for _ in labels] + [B.join(texts[n] for n in order)]) + '\n')
  config = 'train_input_path: "%s/train.txt" eval_input_path: "%s/train.txt" model_dir: "%s/model"\n' % (work, work, work) + config.replace('FG', work + '/fg.json')
  with open(work + '/pipeline.config', 'w') as out:
    out.write(config)
  # As easy_rec/python/train_eval.py does.
  pipeline = config_util.get_configs_from_pipeline_file(work + '/pipeline.config')
  if pipeline.fg_json_path:
    fg_util.load_fg_json_to_config(pipeline)
  easy_rec._train_and_evaluate_impl(pipeline)
  easy_rec.export(work + '/export', work + '/model/pipeline.config')
  [exported] = glob.glob(work + '/export/*/')
  target = os.path.join(here, name, 'model')
  shutil.rmtree(target, ignore_errors=True)
  shutil.copytree(exported, target, ignore=shutil.ignore_patterns('assets.extra'))
  # Paths of the machine, by others that are as long.
  assert len(work) == len('/data/of/easyrec')
  for name_of in ['saved_model.pb', 'assets/pipeline.config']:
    path = os.path.join(target, name_of)
    data = open(path, 'rb').read().replace(work.encode(), b'/data/of/easyrec')
    open(path, 'wb').write(data)
  answers(name, fg_texts, fg, target)
  shutil.rmtree(work)


def answers(name, fg_texts, fg, target):
  cases = []
  order = field_order(fg)
  with tf.Graph().as_default(), tf.compat.v1.Session() as session:
    meta = tf.compat.v1.saved_model.loader.load(session, ['serve'], target)
    signature = meta.signature_def['serving_default']
    for row, ids in requests():
      hours = [str((int(row['hour']) + i) % 24) for i in range(len(ids))]
      rows = [fg_texts.texts(fg, dict(row, **catalogue[i], hour=hour), catalogue) for i, hour in zip(ids, hours)]
      feeds = {}
      for key, info in signature.inputs.items():
        kind = tf.dtypes.as_dtype(info.dtype)
        if key == 'features':
          value = [B.join(r[n] for n in order) for r in rows]
        else:
          # Of nothing, what EasyRec's readers take: default_val of the field.
          text = [r.get(key, r.get(key.replace('__', '_'), '')) for r in rows]
          if len(info.tensor_shape.dim) == 2:
            lists = [values_of(t, C) for t in text]
            width = max(1, max(len(l) for l in lists))
            pad = '' if kind == tf.string else -1
            value = [l + [pad] * (width - len(l)) for l in lists]
          else:
            value = [t or '0' for t in text] if kind != tf.string else text
        value = np.array(value, dtype=object if kind == tf.string else None)
        feeds[info.name] = value if kind == tf.string else value.astype(np.float64).astype(kind.as_numpy_dtype)
      outputs = {k: v.name for k, v in signature.outputs.items()}
      scores = session.run(outputs, feeds)
      cases.append({
          'user': {k: v for k, v in row.items() if k != 'hour'}, 'item_ids': ids, 'hour': hours,
          'texts': [[r[n] for n in order] for r in rows],
          'outputs': {k: np.asarray(v, dtype=np.float64).reshape(-1).tolist() for k, v in sorted(scores.items()) if np.asarray(v).dtype != object},
      })
  with open(os.path.join(here, name, 'expected.json'), 'w') as out:
    json.dump({'origin': 'generate.py, EasyRec bd230cb, TensorFlow ' + tf.__version__, 'fields': order, 'cases': cases}, out, indent=1)


if __name__ == '__main__':
  for name in sys.argv[2:] or models:
    rng.seed(name)
    build(name)
  with open(os.path.join(here, 'items.json'), 'w') as out:
    json.dump(catalogue, out, indent=1)
