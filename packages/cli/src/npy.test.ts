import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { dtypes, EasError, type Tensor } from '@eas/base'
import { describe, expect, it } from 'vitest'
import { isNpy, readNpy, writeNpy } from './npy.ts'
import { elementOf } from './tensor-text.ts'

// Written by NumPy itself, see make.py there.
const folder = join(import.meta.dirname, '../../../test/golden/npy')
const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'))
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.npy'))
  .map((file) => file.slice(0, -'.npy'.length))
const golden = (name: string) => new Uint8Array(readFileSync(join(folder, `${name}.npy`)))

/** Elements as make.py writes them. */
function plain(tensor: Tensor) {
  const each = tensor.dtype === 'string' ? 1 : dtypes[tensor.dtype].perElement
  const flat = Array.from({ length: tensor.data.length }, (_, i) => {
    const value = elementOf(tensor, i)
    if (typeof value === 'bigint') return Math.abs(Number(value)) > 2 ** 53 - 1 ? { int: String(value) } : Number(value)
    if (value instanceof Uint8Array) return { hex: Buffer.from(value).toString('hex') }
    return typeof value === 'number' && !Number.isFinite(value) ? pythonName(value) : value
  })
  return each === 1 ? flat : Array.from({ length: flat.length / 2 }, (_, i) => flat.slice(2 * i, 2 * i + 2))
}
const pythonName = (value: number) => String(value).toLowerCase().replace('infinity', 'inf')

describe('readNpy()', () => {
  it.each(names)('reads %s as NumPy wrote it', (name) => {
    const tensor = readNpy(golden(name), name)
    const { dtype, shape, values } = expected.arrays[name]
    expect(tensor.dtype).toBe(dtype)
    expect(tensor.shape).toEqual(shape)
    // Python compares 0.0 and -0.0 alike; bytes that are text come out as such.
    const text = (value: unknown) =>
      typeof value === 'object' && value !== null && 'hex' in value && dtype === 'string'
        ? Buffer.from(String(value.hex), 'hex').toString('latin1')
        : value
    const asText = (value: unknown) =>
      dtype === 'string' && typeof value === 'object' && value !== null && 'hex' in value
        ? Buffer.from(String(value.hex), 'hex').toString('latin1')
        : value
    expect(plain(tensor).map(asText)).toEqual(values.map(text))
  })

  it.each(names)('fails as an EasError wherever %s is cut', (name) => {
    const bytes = golden(name)
    for (let end = 0; end < bytes.length; end++) {
      expect(() => readNpy(bytes.subarray(0, end), name), `cut at ${end}`).toThrow(EasError)
    }
  })

  it.each([
    ["{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 'its dtype is |O, Python objects, which are not read'],
    [
      "{'descr': '<M8[D]', 'fortran_order': False, 'shape': (1,), }",
      'its dtype is <M8[D], dates; save them as integers',
    ],
    [
      "{'descr': '<f16', 'fortran_order': False, 'shape': (1,), }",
      'its dtype is <f16, wider than a double; save it as float64',
    ],
    ["{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", 'it holds records of several fields'],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (9007199254740993, 9), }", 'its shape'],
    ["{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }", '[3] of <f4 takes 12 bytes, it holds 0'],
    ["{'descr': '<U0', 'fortran_order': False, 'shape': (99999999,), }", 'it holds 99999999 strings'],
    ["{'descr': '<f4', 'shape': (3,), }", 'its header is'],
  ])('refuses %s', (header, message) => {
    const bytes = Uint8Array.of(0x93, ...Buffer.from('NUMPY'), 1, 0, header.length, 0, ...Buffer.from(header))
    expect(() => readNpy(bytes, 'x.npy')).toThrow(`Cannot read x.npy: ${message}`)
  })
})

describe('writeNpy()', () => {
  // Big-endian, Fortran-ordered and later versions come back as what is written: little-endian, row-major, version 1.
  it.each(names)('writes what it read of %s', (name) => {
    const tensor = readNpy(golden(name), name)
    const written = writeNpy(tensor)
    expect(isNpy(written)).toBe(true)
    expect(readNpy(written, name)).toEqual(tensor)
  })

  it.each(['float32', 'int64', 'bool', 'unicode', 'scalar', 'empty', 'one-axis', 'complex64'])(
    'writes %s as NumPy does, byte for byte but for the padding',
    (name) => {
      const bytes = golden(name)
      const written = writeNpy(readNpy(bytes, name))
      const content = (file: Uint8Array) => {
        const start = 10 + ((file[8] ?? 0) | ((file[9] ?? 0) << 8))
        return [Buffer.from(file.subarray(10, start)).toString().trim(), Buffer.from(file.subarray(start))]
      }
      expect(content(written)).toEqual(content(bytes))
    },
  )
})
