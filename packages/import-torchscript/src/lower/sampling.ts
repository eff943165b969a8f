import { type Dim, dims, emit, type GraphBuilder, refuse, scalar, type Value } from '@eas/onnx'
import type { Call, Lower, OpTable } from '../call.ts'

/** Reading an image at computed places. Torch: aten/src/ATen/native/{GridSampler,AffineGridGenerator}.cpp (2.4). */

/** By torch's numbers of modes. @see torch.nn.functional.grid_sample */
const interpolations = ['linear', 'nearest', 'cubic']
const paddings = ['zeros', 'border', 'reflection']

const gridSample: Lower = (c) => {
  const [x, grid] = [c.tensor('input'), c.tensor('grid')]
  const mode = interpolations[c.int('interpolation_mode')]
  const padding_mode = paddings[c.int('padding_mode')]
  if (!mode || !padding_mode) throw refuse(`aten::${c.name} in an unknown mode`)
  const shape = [x.shape[0] ?? 1, x.shape[1] ?? 1, ...grid.shape.slice(1, -1)]
  const kernel = emit.kernelType('GridSample', x.dtype)
  const inputs = [emit.cast(c.g, x, kernel), emit.cast(c.g, grid, kernel)]
  const align_corners = Number(c.bool('align_corners'))
  return emit.cast(c.g, c.g.one('GridSample', inputs, kernel, shape, { mode, padding_mode, align_corners }), x.dtype)
}

/** Where the `n` pixels of an axis are in `[-1, 1]`: the outer ones at its ends, or half a pixel inside. */
function places(g: GraphBuilder, n: Dim, alignCorners: boolean): Value {
  const one = scalar('float32', 1)
  const count = emit.cast(g, scalar('int64', n), 'float32')
  const doubled = emit.binary(g, 'Mul', emit.iota(g, n, 0, 1, 'float32'), scalar('float32', 2))
  const [from, whole] = alignCorners
    ? [doubled, emit.binary(g, 'Sub', count, one)]
    : [emit.binary(g, 'Add', doubled, one), count]
  return emit.binary(g, 'Sub', emit.binary(g, 'Div', from, whole), one)
}

/** `[N, H, W, 2]` of where each pixel comes from, by `theta`, `[N, 2, 3]`; the same with one axis more. */
function affineGrid(c: Call): Value {
  const { g } = c
  const theta = emit.cast(g, c.tensor('theta'), 'float32')
  const [N = 1, , ...spatial] = c.dims('size')
  const rank = spatial.length
  // Coordinates are x, y, z: the last axis comes first.
  const coordinates = spatial
    .map((n, axis) => {
      const along: Dim[] = spatial.map((_, i) => (i === axis ? n : 1))
      return emit.expand(g, emit.reshape(g, places(g, n, c.bool('align_corners')), along), spatial)
    })
    .reverse()
  const ones = emit.full(g, spatial, scalar('float32', 1))
  const columns = [...coordinates, ones].map((x) => emit.unsqueeze(g, x, [rank]))
  const points = emit.reshape(g, emit.concat(g, columns, rank), [1, dims.product(spatial), rank + 1])
  return emit.reshape(g, emit.matmul(g, points, emit.transpose(g, theta, [0, 2, 1])), [N, ...spatial, rank])
}

export const samplingOps: OpTable = {
  grid_sampler: gridSample,
  grid_sampler_2d: gridSample,
  grid_sampler_3d: gridSample,
  affine_grid_generator: affineGrid,
}
