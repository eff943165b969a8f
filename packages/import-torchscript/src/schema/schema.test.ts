import { describe, expect, it } from 'vitest'
import { lowerings } from '../lower/index.ts'
import { schemaNames, schemasOf } from './schema.ts'

describe('schemasOf()', () => {
  it('reads types, names, defaults and what must be given by name', () => {
    const [conv2d] = schemasOf('conv2d')
    expect(conv2d?.parameters).toEqual([
      { name: 'input', type: 'T', keywordOnly: false },
      { name: 'weight', type: 'T', keywordOnly: false },
      { name: 'bias', type: 'T?', keywordOnly: false, default: null },
      { name: 'stride', type: 'i[]', keywordOnly: false, default: [1n, 1n] },
      { name: 'padding', type: 'i[]', keywordOnly: false, default: [0n, 0n] },
      { name: 'dilation', type: 'i[]', keywordOnly: false, default: [1n, 1n] },
      { name: 'groups', type: 'i', keywordOnly: false, default: 1n },
    ])
    expect(schemasOf('gelu')[0]?.parameters[1]).toEqual({
      name: 'approximate',
      type: 's',
      keywordOnly: true,
      default: 'none',
    })
  })

  it('keeps the forms of older releases beside the new', () => {
    expect(new Set(schemasOf('_convolution').map((schema) => schema.parameters.length))).toEqual(new Set([12, 13]))
    expect(schemasOf('quantized::linear_dynamic').map((schema) => schema.parameters.length)).toEqual([3, 2])
  })

  it('tells floats from ints in defaults', () => {
    const value = (op: string, name: string) =>
      schemasOf(op)[0]?.parameters.find((parameter) => parameter.name === name)?.default
    expect(value('layer_norm', 'eps')).toBe(1e-5)
    expect(value('elu', 'alpha')).toBe(1n)
    expect(value('nan_to_num', 'nan')).toBe(null)
    expect(value('logspace', 'base')).toBe(10)
    expect(value('strip', 'chars')).toBe(' \n\t\f\v')
    expect(value('pairwise_distance', 'p')).toBe(2)
  })

  it('finds nothing under a name that is not there, or is only part of one', () => {
    expect(schemasOf('conv')).toEqual([])
    expect(schemasOf('2d')).toEqual([])
    expect(schemasOf('constructor')).toEqual([])
  })

  it('parses every line', () => {
    const names = schemaNames()
    expect(names.length).toBeGreaterThan(1000)
    expect(new Set(names).size).toBe(names.length)
    for (const name of names) {
      for (const schema of schemasOf(name)) {
        for (const parameter of schema.parameters) {
          expect(parameter.type, `${name}.${schema.overload} ${parameter.name}`).toMatch(/^[Tnifbcsdgeamov](\[\]|\?)*$/)
          expect(parameter.default).not.toBeNaN()
        }
      }
    }
  })

  it('knows the arguments of every operator that is lowered', () => {
    const names = new Set(schemaNames())
    expect(Object.keys(lowerings).filter((name) => !names.has(name))).toEqual([])
  })
})
