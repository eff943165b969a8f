/**
 * The few WebAssembly instructions that the kernels need, each a function from operands to bytes, so that a kernel reads
 * as the expression it computes: `f32x4.add(get(sum), f32x4.mul(get(q), v128.load(get(x))))`.
 *
 * @see https://webassembly.github.io/spec/core/binary/ (with the SIMD instructions of WebAssembly 2.0)
 */

/** Encoded instructions, operands first: a stack machine's post-order. */
export type Code = readonly number[]

/** Value types of section 5.3. */
export const types = { i32: 0x7f, f32: 0x7d, v128: 0x7b } as const
export type ValueType = keyof typeof types

const unsigned = (value: number): number[] => {
  const bytes: number[] = []
  for (let rest = value >>> 0; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest]
    bytes.push((rest & 0x7f) | 0x80)
  }
}

const signed = (value: number): number[] => {
  const bytes: number[] = []
  for (let rest = value | 0; ; rest >>= 7) {
    const byte = rest & 0x7f
    if ((rest >> 6 === 0 && byte < 0x40) || (rest >> 6 === -1 && byte >= 0x40)) return [...bytes, byte]
    bytes.push(byte | 0x80)
  }
}

const op =
  (...opcode: number[]) =>
  (...operands: Code[]): Code => [...operands.flat(), ...opcode]
const simd = (opcode: number) => op(0xfd, ...unsigned(opcode))
/** Alignment 0 promises nothing: what a FAISS file holds is not aligned, and x86 and ARM do not mind. */
const memarg = (offset: number) => [0, ...unsigned(offset)]

export const get = (local: number): Code => [0x20, ...unsigned(local)]
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)]

export const i32 = {
  const: (value: number): Code => [0x41, ...signed(value)],
  add: op(0x6a),
  sub: op(0x6b),
  mul: op(0x6c),
  and: op(0x71),
  shl: op(0x74),
  ltU: op(0x49),
  geU: op(0x4f),
  load: (address: Code, offset = 0): Code => [...address, 0x28, ...memarg(offset)],
} as const

export const f32 = {
  add: op(0x92),
  sub: op(0x93),
  mul: op(0x94),
  neg: op(0x8c),
  load: (address: Code, offset = 0): Code => [...address, 0x2a, ...memarg(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [...address, ...value, 0x38, ...memarg(offset)],
} as const

export const v128 = {
  zero: (): Code => [0xfd, 12, ...new Array<number>(16).fill(0)],
  load: (address: Code, offset = 0): Code => [...address, 0xfd, 0, ...memarg(offset)],
} as const

export const f32x4 = {
  add: simd(228),
  sub: simd(229),
  mul: simd(230),
  lane: (value: Code, lane: number): Code => [...value, 0xfd, 31, lane],
} as const

const emptyBlock = 0x40

/** Runs `body` while `condition` holds. */
export const whileLoop = (condition: Code, ...body: Code[]): Code => [
  ...[0x02, emptyBlock, 0x03, emptyBlock], // block, loop
  ...condition,
  ...[0x45, 0x0d, 1], // i32.eqz, br_if to the end of the block
  ...body.flat(),
  ...[0x0c, 0, 0x0b, 0x0b], // br to the start of the loop, end, end
]

/** A function without result. Its locals are numbered: parameters first. */
export interface WasmFunction {
  readonly name: string
  readonly parameters: readonly ValueType[]
  readonly locals: readonly ValueType[]
  readonly code: Code
}

const vector = (items: readonly Code[]): number[] => [...unsigned(items.length), ...items.flat()]
const section = (id: number, content: Code): number[] => [id, ...unsigned(content.length), ...content]
const name = (text: string): number[] => vector([...text].map((character) => [character.charCodeAt(0)]))

/** A module of `functions`, all exported, over one memory imported as `env.memory`. */
export function assembleModule(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const signature = ({ parameters }: WasmFunction) => [0x60, ...vector(parameters.map((type) => [types[type]])), 0]
  const body = ({ locals, code }: WasmFunction) => {
    const bytes = [...vector(locals.map((type) => [1, types[type]])), ...code, 0x0b]
    return [...unsigned(bytes.length), ...bytes]
  }
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0], // "\0asm", version 1
    ...section(1, vector(functions.map(signature))),
    ...section(2, vector([[...name('env'), ...name('memory'), 2, 0, 1]])), // a memory of at least one page
    ...section(3, vector(functions.map((_, i) => unsigned(i)))),
    ...section(7, vector(functions.map((f, i) => [...name(f.name), 0, ...unsigned(i)]))),
    ...section(10, vector(functions.map(body))),
  ])
}
