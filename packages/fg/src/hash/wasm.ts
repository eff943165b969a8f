/**
 * As much of a WebAssembly assembler as the hash functions need. Node's numbers stop at 53 bits and its bigints cost an
 * allocation per operation; WebAssembly's i64 is the machine's own. Code is written with the functions below, so that
 * the source of the module is in the repository and no binary is.
 *
 * @see https://www.w3.org/TR/wasm-core-1/#binary-format%E2%91%A0
 */
export type Code = readonly number[]
export type ValueType = 'i32' | 'i64'

const valueTypes = { i32: 0x7f, i64: 0x7e } as const
const emptyBlock = 0x40
const end = 0x0b

/** A number as LEB128, as sizes, indices and offsets are written. */
function unsigned(value: number): number[] {
  const bytes: number[] = []
  for (; value > 0x7f; value = Math.floor(value / 128)) bytes.push((value % 128) | 0x80)
  return [...bytes, value]
}

/** A number as signed LEB128, as constants are written. */
function signed(value: bigint): number[] {
  const bytes: number[] = []
  for (; value > 63n || value < -64n; value >>= 7n) bytes.push(Number(value & 127n) | 0x80)
  return [...bytes, Number(value & 127n)]
}

const operator =
  (opcode: number) =>
  (...operands: Code[]): Code => [...operands.flat(), opcode]
/** Alignment is only a hint; 0 promises nothing. */
const load =
  (opcode: number) =>
  (address: Code, offset = 0): Code => [...address, opcode, 0, ...unsigned(offset)]
const store =
  (opcode: number) =>
  (address: Code, value: Code): Code => [...address, ...value, opcode, 0, 0]

export const i32 = {
  const: (value: number): Code => [0x41, ...signed(BigInt(value))],
  load: load(0x28),
  add: operator(0x6a),
  sub: operator(0x6b),
  and: operator(0x71),
  shl: operator(0x74),
  shrU: operator(0x76),
  ltU: operator(0x49),
  leU: operator(0x4d),
  geU: operator(0x4f),
  eq: operator(0x46),
  ne: operator(0x47),
} as const

export const i64 = {
  const: (value: bigint): Code => [0x42, ...signed(BigInt.asIntN(64, value))],
  load: load(0x29),
  load8: load(0x31),
  load32: load(0x35),
  store: store(0x37),
  ne: operator(0x52),
  /** A sum of two or more. */
  add: (first: Code, ...rest: Code[]): Code => [...first, ...rest.flatMap((term) => [...term, 0x7c])],
  sub: operator(0x7d),
  mul: operator(0x7e),
  remU: operator(0x82),
  and: operator(0x83),
  xor: operator(0x85),
  shl: operator(0x86),
  shrU: operator(0x88),
  rotr: operator(0x8a),
  extend: operator(0xad),
} as const

export const f64 = { convertU: operator(0xba), store: store(0x39) } as const

/** A local variable, or a parameter, of the function being written. */
export interface Local {
  readonly get: Code
  set(value: Code): Code
  add(value: Code): Code
}

export const when = (condition: Code, then: Code, otherwise: Code = []): Code => [
  ...condition,
  0x04,
  emptyBlock,
  ...then,
  ...(otherwise.length > 0 ? [0x05, ...otherwise] : []),
  end,
]
/** Runs `body` once, and again as long as `condition` holds after it. */
export const doWhile = (body: Code, condition: Code): Code => [0x03, emptyBlock, ...body, ...condition, 0x0d, 0, end]
export const giveBack = (value: Code): Code => [...value, 0x0f]

export interface WasmFunction {
  readonly params: readonly ValueType[]
  readonly result?: ValueType
  /** Called by other functions of the module. */
  call(...args: Code[]): Code
  readonly locals: readonly ValueType[]
  readonly body: Code
}

/** The functions of one module, in the order in which they are written; each may call those before it. */
export function moduleBuilder() {
  const functions: WasmFunction[] = []
  const names: string[] = []

  /** `write` is given the parameters as locals, and a maker of further locals of type i64 or i32. */
  function define<const Params extends readonly ValueType[]>(
    name: string,
    params: Params,
    result: ValueType | undefined,
    write: (args: { readonly [index in keyof Params]: Local }, local: (type: ValueType) => Local) => Code,
  ): WasmFunction {
    const locals: ValueType[] = []
    const at = (index: number, type: ValueType): Local => ({
      get: [0x20, ...unsigned(index)],
      set: (value) => [...value, 0x21, ...unsigned(index)],
      add: (value) => [0x20, ...unsigned(index), ...value, type === 'i64' ? 0x7c : 0x6a, 0x21, ...unsigned(index)],
    })
    const local = (type: ValueType) => at(params.length + locals.push(type) - 1, type)
    // `map` keeps the length of what it maps, which its type does not say.
    const args = params.map((type, index) => at(index, type)) as unknown as { readonly [index in keyof Params]: Local }
    const body = write(args, local)
    const index = functions.length
    const made: WasmFunction = {
      params,
      ...(result && { result }),
      locals,
      body,
      call: (...args) => [...args.flat(), 0x10, ...unsigned(index)],
    }
    functions.push(made)
    names.push(name)
    return made
  }

  /** The module's bytes: it imports its memory as `env.memory` and exports every function by name. */
  function build(): Uint8Array<ArrayBuffer> {
    const list = (items: readonly Code[]): number[] => [...unsigned(items.length), ...items.flat()]
    const section = (id: number, contents: Code): number[] => [id, ...unsigned(contents.length), ...contents]
    const text = (value: string): number[] => [...unsigned(value.length), ...Buffer.from(value)]
    const types = functions.map(({ params, result }) => [
      0x60,
      ...list(params.map((type) => [valueTypes[type]])),
      ...list(result ? [[valueTypes[result]]] : []),
    ])
    const bodies = functions.map(({ locals, body }) => {
      const code = [...list(locals.map((type) => [1, valueTypes[type]])), ...body, end]
      return [...unsigned(code.length), ...code]
    })
    return Uint8Array.from([
      ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      ...section(1, list(types)),
      ...section(2, list([[...text('env'), ...text('memory'), 0x02, 0x00, 0x01]])),
      ...section(3, list(functions.map((_, index) => unsigned(index)))),
      ...section(7, list(names.map((name, index) => [...text(name), 0x00, ...unsigned(index)]))),
      ...section(10, list(bodies)),
    ])
  }

  return { define, build }
}

export type ModuleBuilder = ReturnType<typeof moduleBuilder>
