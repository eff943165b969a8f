import { hostFamilies } from './host/index.ts'
import { lazyOps } from './lower/control-v1.ts'
import { families } from './lower/index.ts'

/** Operators by family, as Markdown: what is lowered to ONNX, then what is computed in front of the session. */
export function renderOps(): string {
  const lowered = Object.entries(families).map(([name, table]) => section(titles[name] ?? name, Object.keys(table)))
  const hosted = Object.entries(hostFamilies).map(([name, table]) =>
    section(`In front of the session: ${titles[`host/${name}`] ?? name}`, Object.keys(table)),
  )
  return [...lowered, section('Control flow of TensorFlow 1', Object.keys(lazyOps)), ...hosted].join('\n\n')
}

const titles: Readonly<Record<string, string>> = {
  plumbing: 'Variables, calls, and what passes things on',
  elementwise: 'Element by element',
  shape: 'Shapes',
  reduce: 'Reductions',
  linalg: 'Matrices',
  complex: 'Complex numbers and Fourier transforms',
  conv: 'Convolution, pooling, normalisation',
  image: 'Images and boxes',
  colour: 'Colours',
  resample: 'Images resized by weights',
  index: 'Indexing, segments, sparse',
  sparse: 'Sparse tensors',
  ragged: 'Ragged tensors',
  control: 'Control flow of TensorFlow 2',
  lists: 'Lists and arrays of tensors',
  rnn: 'Recurrent cells',
  tables: 'Tables',
  text: 'Text of what is computed',
  solve: 'Linear equations',
  quantised: 'Quantised numbers',
  speech: 'Sequences of labels',
  'host/strings': 'strings',
  'host/unicode': 'characters and n-grams',
  'host/sparse': 'sparse and ragged',
  'host/example': '`tf.Example`',
  'host/sequenceExample': '`tf.SequenceExample`',
  'host/sets': 'sets and counts',
  'host/arrays': 'arrays of strings and numbers',
  'host/arithmetic': 'arithmetic',
}

const section = (title: string, names: readonly string[]): string =>
  `### ${title}\n\n${[...names]
    .sort()
    .map((name) => `\`${name}\``)
    .join(', ')}`
