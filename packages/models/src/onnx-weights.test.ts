import { readFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { message, onnxModel, scratch } from '../../../test/support/onnx.ts'
import { weightFiles } from './onnx-weights.ts'

const { write, remove } = scratch('weights')
afterAll(remove)

/** A tensor whose bytes are at `location`, as onnx.save and torch.onnx.export write it. */
const tensorAt = (location: string) =>
  message(
    [1, 2],
    [2, 1],
    [8, 'w'],
    [13, message([1, 'location'], [2, location])],
    [13, message([1, 'offset'], [2, '4096'])],
    [13, message([1, 'length'], [2, '8'])],
    [14, 1],
  )
const held = message([1, 2], [2, 1], [8, 'v'], [9, new Uint8Array(300_000).fill(0x3a)])
const graphWith = (...tensors: readonly Uint8Array[]) => message(...tensors.map((tensor) => [5, tensor] as const))
const modelOf = (graph: Uint8Array) => message([1, 8], [2, 'pytorch'], [7, graph], [8, message([1, ''], [2, 17])])
const nodeWith = (attribute: Uint8Array) => message([1, 'x'], [4, 'If'], [5, attribute])
const inNode = (attribute: Uint8Array) => message([1, nodeWith(attribute)])

describe('weightFiles()', () => {
  it.each([
    ['none for a model that holds them', modelOf(graphWith(held)), []],
    [
      'the one that all are in',
      modelOf(graphWith(tensorAt('m.onnx.data'), held, tensorAt('m.onnx.data'))),
      ['m.onnx.data'],
    ],
    ['one for each, in folders too', modelOf(graphWith(tensorAt('w/b'), tensorAt('./w/a'))), ['w/a', 'w/b']],
    ['those of constants', modelOf(inNode(message([1, 'value'], [5, tensorAt('c.bin')]))), ['c.bin']],
    ['those of branches', modelOf(inNode(message([1, 'then'], [6, graphWith(tensorAt('t.bin'))]))), ['t.bin']],
    ['those of functions', message([25, message([1, 'f'], [7, nodeWith(message([5, tensorAt('f.bin')]))])]), ['f.bin']],
    ['no path that leads out', modelOf(graphWith(...['../a', '/b', 'c/../../d', '', '..', 'e'].map(tensorAt))), ['e']],
    ['none of a file that is no ONNX', Buffer.from('the model itself'), []],
    ['none of an empty file', Buffer.alloc(0), []],
  ])('gives %s', async (_, bytes, names) => {
    expect(await weightFiles(write('m.onnx', bytes))).toEqual(names)
  })

  it('ends with whatever is cut off or turned over', async () => {
    const bytes = modelOf(graphWith(tensorAt('m.onnx.data'), tensorAt('n.bin')))
    for (let at = 0; at < bytes.length; at++) {
      const turned = Buffer.from(bytes)
      turned[at] = 0xff
      for (const variant of [bytes.subarray(0, at), turned]) {
        for (const name of await weightFiles(write('m.onnx', variant))) expect(name).not.toMatch(/^\/|^\.\.|\0/)
      }
    }
  })

  it('goes down no deeper than models do', async () => {
    let graph = graphWith(tensorAt('deep.bin'))
    for (let depth = 0; depth < 200; depth++) graph = inNode(message([1, 'body'], [6, graph]))
    expect(await weightFiles(write('m.onnx', modelOf(graph)))).toEqual([])
  })

  it('reads what ONNX Runtime reads: the digits model holds its weights', async () => {
    const digits = new URL('../../cli/examples/digits/digits.onnx', import.meta.url)
    expect(await weightFiles(write('digits.onnx', readFileSync(digits)))).toEqual([])
    expect(await weightFiles(write('e.onnx', onnxModel({ nodes: [], inputs: [], outputs: [] })))).toEqual([])
  })
})
