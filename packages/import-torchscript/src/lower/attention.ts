import { type Dim, dims, emit, type GraphBuilder, refuse, scalar, type Value } from '@eas/onnx'
import { type Call, type Lower, type OpTable, type Result, tuple } from '../call.ts'
import { like } from './helpers.ts'
import { linear } from './linear.ts'
import { layerNormOf } from './nn.ts'
import { softmax } from './reduce.ts'

/** Attention. Torch: aten/src/ATen/native/transformers/attention.cpp (2.4). */

const { binary, matmul, where } = emit

interface Scores {
  /** Added to the scores; broadcasts to `[…, L, S]`. */
  readonly mask?: Value | undefined
  readonly causal?: boolean
  readonly scale?: number | undefined
}

/** `softmax(q·kᵀ·scale + mask)·v`, and the weights. */
function attend(
  c: Call,
  q: Value,
  k: Value,
  v: Value,
  { mask, causal = false, scale }: Scores,
): { y: Value; weights: Value } {
  const { g } = c
  const width = c.fixed(q.shape.at(-1) ?? 1)
  // Torch scales both sides by the root, which rounds a little differently than scaling the product.
  const root = Math.sqrt(scale ?? 1 / Math.sqrt(width))
  const [a, b] = [binary(g, 'Mul', q, like(q, root)), binary(g, 'Mul', k, like(k, root))]
  const rank = k.shape.length
  let scores = matmul(g, a, emit.transpose(g, b, emit.swapped(rank, rank - 1, rank - 2)))
  if (causal) scores = binary(g, 'Add', scores, causalMask(g, scores))
  if (mask) scores = binary(g, 'Add', scores, additive(g, mask, scores))
  const weights = softmax(c, scores, -1)
  const y = matmul(g, weights, v)
  return { y: mask ? where(g, visible(g, mask, y), y, like(y, 0)) : y, weights }
}

/** Whether a query has any key that its mask does not hide: without one, softmax has nothing to share out. */
function visible(g: GraphBuilder, mask: Value, y: Value): Value {
  const last = mask.shape.length - 1
  if (mask.dtype === 'bool') {
    return emit.cast(g, emit.reduce(g, 'ReduceMax', emit.cast(g, mask, 'uint8'), [last], true), 'bool')
  }
  const top = emit.reduce(g, 'ReduceMax', emit.cast(g, mask, y.dtype), [last], true)
  return emit.compare(g, 'Greater', top, like(y, Number.NEGATIVE_INFINITY))
}

/** Minus infinity above the diagonal. */
function causalMask(g: GraphBuilder, scores: Value): Value {
  const [L = 1, S = 1] = scores.shape.slice(-2)
  const later = emit.compare(g, 'Greater', emit.iota(g, S, 1, 2), emit.iota(g, L, 0, 2))
  return emit.where(g, later, like(scores, Number.NEGATIVE_INFINITY), like(scores, 0))
}

/** A bool mask keeps what is true. */
function additive(g: GraphBuilder, mask: Value, scores: Value): Value {
  if (mask.dtype !== 'bool') return emit.cast(g, mask, scores.dtype)
  return emit.where(g, mask, like(scores, 0), like(scores, Number.NEGATIVE_INFINITY))
}

const scaledDotProduct: Lower = (c) => {
  const [q, given, values] = [c.tensor('query'), c.tensor('key'), c.tensor('value')]
  if (c.float('dropout_p') > 0)
    throw refuse('aten::scaled_dot_product_attention with dropout', '', 'Call model.eval() before exporting')
  const scale = c.has('scale') ? c.optionalFloat('scale') : undefined
  const grouped = c.has('enable_gqa') && c.bool('enable_gqa')
  const [k, v] = [given, values].map((x) => (grouped ? repeatHeads(c, x, q) : x)) as [Value, Value] // two in, two out
  return attend(c, q, k, v, { mask: c.optionalTensor('attn_mask'), causal: c.bool('is_causal'), scale }).y
}

/** Each head of keys and values serves as many heads of queries in a row. */
function repeatHeads(c: Call, x: Value, q: Value): Value {
  const [heads, wanted] = [c.fixed(x.shape.at(-3) ?? 1), c.fixed(q.shape.at(-3) ?? 1)]
  if (heads === wanted) return x
  const axis = x.shape.length - 3
  const wide = emit.unsqueeze(c.g, x, [axis + 1])
  const shape = [...x.shape.slice(0, axis + 1), wanted / heads, ...x.shape.slice(axis + 1)]
  return emit.reshape(
    c.g,
    emit.expand(c.g, wide, shape),
    x.shape.map((d, i) => (i === axis ? wanted : d)),
  )
}

/** With the further outputs that only training needs. */
const withExtras: Lower = (c): Result => {
  const { g } = c
  const [q, k, v] = [c.tensor('query'), c.tensor('key'), c.tensor('value')]
  const mask = c.has('attn_mask')
    ? c.optionalTensor('attn_mask')
    : c.has('attn_bias')
      ? c.optionalTensor('attn_bias')
      : undefined
  const { y, weights } = attend(c, q, k, v, {
    mask,
    causal: c.bool('is_causal'),
    scale: c.has('scale') ? c.optionalFloat('scale') : undefined,
  })
  const none = emit.full(g, [0], scalar(q.dtype, 0))
  if (c.name.endsWith('math')) return tuple(c.vm, y, weights)
  return c.name.endsWith('cpu') ? tuple(c.vm, y, none) : tuple(c.vm, y, none, none, none)
}

interface Heads {
  readonly embed: number
  readonly count: number
}

/** `[B, L, E]` as `[B, H, L, E/H]`. */
function splitHeads(g: GraphBuilder, x: Value, { embed, count }: Heads): Value {
  const [B = 1, L = 1] = x.shape
  return emit.transpose(g, emit.reshape(g, x, [B, L, count, embed / count]), [0, 2, 1, 3])
}

function joinHeads(g: GraphBuilder, x: Value, embed: Dim): Value {
  const [B = 1, , L = 1] = x.shape
  return emit.reshape(g, emit.transpose(g, x, [0, 2, 1, 3]), [B, L, embed])
}

/**
 * True in a mask of the fused layers hides. Types: 0 a mask of queries and keys, 1 of padded keys, 2 both in one.
 * Shapes `[L, S]`, `[B, S]`, or already `[B, H, L, S]`.
 */
function fusedMask(
  g: GraphBuilder,
  mask: Value | undefined,
  type: number | undefined,
  scores: Value,
): Value | undefined {
  if (!mask) return undefined
  const [B = 1, , , S = 1] = scores.shape
  const padding =
    type === 1 ||
    (type === undefined &&
      mask.shape.length === 2 &&
      dims.same(mask.shape[0] ?? 0, B) &&
      !dims.same(B, scores.shape[2] ?? 0))
  const shaped = padding && mask.shape.length === 2 ? emit.reshape(g, mask, [B, 1, 1, S]) : mask
  if (mask.dtype !== 'bool') return shaped
  return emit.where(g, shaped, like(scores, Number.NEGATIVE_INFINITY), like(scores, 0))
}

interface AttentionWeights {
  readonly qkvWeight: Value
  readonly qkvBias: Value | undefined
  readonly projWeight: Value
  readonly projBias: Value | undefined
}

/** Multi-head attention over batches first, as the fused operators compute it. */
function multiHead(
  c: Call,
  inputs: readonly [Value, Value, Value],
  heads: Heads,
  w: AttentionWeights,
  mask: Value | undefined,
  maskType: number | undefined,
): { y: Value; weights: Value } {
  const { g } = c
  const { embed } = heads
  const projected = inputs.map((x, i) => {
    const weight = emit.slice(g, w.qkvWeight, 0, i * embed, (i + 1) * embed)
    return splitHeads(
      g,
      linear(g, x, weight, w.qkvBias && emit.slice(g, w.qkvBias, 0, i * embed, (i + 1) * embed)),
      heads,
    )
  }) as [Value, Value, Value] // three in, three out
  const [q, k, v] = projected
  const scaled = binary(g, 'Mul', q, like(q, 1 / Math.sqrt(embed / heads.count)))
  let scores = matmul(g, scaled, emit.transpose(g, k, [0, 1, 3, 2]))
  const bias = fusedMask(g, mask, maskType, scores)
  if (bias) scores = binary(g, 'Add', scores, bias)
  const weights = softmax(c, scores, -1)
  const y = joinHeads(g, matmul(g, weights, v), embed)
  return { y: linear(g, y, w.projWeight, w.projBias), weights }
}

const nativeMultiHead: Lower = (c): Result => {
  const inputs = [c.tensor('query'), c.tensor('key'), c.tensor('value')] as const
  const heads = { embed: c.int('embed_dim'), count: c.int('num_head') }
  const w = {
    qkvWeight: c.tensor('qkv_weight'),
    qkvBias: c.optionalTensor('qkv_bias'),
    projWeight: c.tensor('proj_weight'),
    projBias: c.optionalTensor('proj_bias'),
  }
  const maskType = c.has('mask_type') ? c.optionalInt('mask_type') : undefined
  const { y, weights } = multiHead(c, inputs, heads, w, c.optionalTensor('mask'), maskType)
  if (!c.bool('need_weights')) return tuple(c.vm, y, emit.full(c.g, [0], like(y, 0)))
  const average = !c.has('average_attn_weights') || c.bool('average_attn_weights')
  return tuple(c.vm, y, average ? emit.reduce(c.g, 'ReduceMean', weights, [1]) : weights)
}

/** One layer of nn.TransformerEncoder, which its fast path runs as one operator. */
const encoderLayer: Lower = (c) => {
  const { g } = c
  const x = c.tensor('src')
  const heads = { embed: c.int('embed_dim'), count: c.int('num_heads') }
  const w = {
    qkvWeight: c.tensor('qkv_weight'),
    qkvBias: c.optionalTensor('qkv_bias'),
    projWeight: c.tensor('proj_weight'),
    projBias: c.optionalTensor('proj_bias'),
  }
  const eps = c.float('eps')
  const norm = (v: Value, i: 1 | 2): Value =>
    layerNormOf(c, v, [heads.embed], c.tensor(`norm_weight_${i}`), c.tensor(`norm_bias_${i}`), eps)
  const rows = c.vm.facts.rowsOf(x)
  const mask = rows ? emit.not(g, rows) : c.optionalTensor('mask')
  const maskType = rows ? 1 : c.has('mask_type') ? c.optionalInt('mask_type') : undefined
  const attention = (v: Value): Value => multiHead(c, [v, v, v], heads, w, mask, maskType).y
  const feedForward = (v: Value): Value => {
    const hidden = linear(g, v, c.tensor('ffn_weight_1'), c.tensor('ffn_bias_1'))
    return linear(
      g,
      emit.unary(g, c.bool('use_gelu') ? 'Gelu' : 'Relu', hidden),
      c.tensor('ffn_weight_2'),
      c.tensor('ffn_bias_2'),
    )
  }
  const residual = (v: Value, inner: (v: Value) => Value, i: 1 | 2): Value =>
    c.bool('norm_first') ? binary(g, 'Add', v, inner(norm(v, i))) : norm(binary(g, 'Add', v, inner(v)), i)
  const y = residual(residual(x, attention, 1), feedForward, 2)
  return rows ? c.vm.facts.noteRows(y, rows) : y
}

export const attentionOps: OpTable = {
  scaled_dot_product_attention: scaledDotProduct,
  _scaled_dot_product_attention_math: withExtras,
  _scaled_dot_product_flash_attention_for_cpu: withExtras,
  _scaled_dot_product_efficient_attention: withExtras,
  _native_multi_head_attention: nativeMultiHead,
  _transformer_encoder_layer_fwd: encoderLayer,
  _masked_softmax: (c) => {
    const x = c.tensor('self')
    const type = c.has('mask_type') ? c.optionalInt('mask_type') : undefined
    const bias = fusedMask(c.g, c.tensor('mask'), type, x)
    return softmax(c, bias ? binary(c.g, 'Add', x, bias) : x, c.optionalInt('dim') ?? -1)
  },
}
