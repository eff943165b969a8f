import { describe, expect, it } from 'vitest'
import { ExampleShapes } from './example-shapes.ts'

const input = (name: string | number, shape: readonly number[], dtype: 'float32' | 'int64' = 'float32') =>
  [name, { dtype, shape }] as const

describe('ExampleShapes', () => {
  it('takes equal sizes for one, until a request tells them apart', () => {
    const shapes = new ExampleShapes()
    shapes.add([input('a', [4, 4]), input('b', [4, 1, 7])])
    expect(shapes.specs()).toEqual([
      { input: 'a', dtype: 'float32', shape: ['n4', 'n4'], example: [4, 4] },
      { input: 'b', dtype: 'float32', shape: ['n4', 1, 'n7'], example: [4, 1, 7] },
    ])
    shapes.add([input('a', [5, 4]), input('b', [5, 1, 9])])
    expect(shapes.specs()).toEqual([
      { input: 'a', dtype: 'float32', shape: ['n4_5', 'n4_4'], example: [5, 4] },
      { input: 'b', dtype: 'float32', shape: ['n4_5', 1, 'n7_9'], example: [5, 1, 9] },
    ])
  })

  it('lets a batch of one be any batch, and a size that is 1 no longer be one', () => {
    const shapes = new ExampleShapes()
    shapes.add([input(0, [1, 1])])
    expect(shapes.specs()[0]?.shape).toEqual(['n1', 1])
    shapes.add([input(0, [1, 3])])
    expect(shapes.specs()[0]?.shape).toEqual(['n1_1', 'n1_3'])
  })

  it('begins anew with another rank or dtype, and takes an empty size as it is', () => {
    const shapes = new ExampleShapes()
    shapes.add([input('a', [4, 4])])
    shapes.add([input('a', [4, 4, 2])])
    expect(shapes.specs()[0]?.shape).toEqual(['n4', 'n4', 'n2'])
    shapes.add([input('a', [4, 0, 2], 'int64')])
    expect(shapes.specs()[0]).toEqual({ input: 'a', dtype: 'int64', shape: ['n4', 0, 'n2'], example: [4, 0, 2] })
  })
})
